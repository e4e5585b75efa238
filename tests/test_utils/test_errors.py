# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Messages name what there is."""

from pathlib import Path

import pytest

from mmfmwsss.utils import (
    UserInputError,
    nearby_files,
    nearby_names,
    resolve_path,
)


def test_files_of_the_current_folder_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.pth').touch()
    assert nearby_files('nix.pth') == ' The current folder has mine.pth.'


def test_files_of_the_same_kind_are_named(tmp_path: Path) -> None:
    for name in ('epoch_2.pth', 'prompts.pth', 'labels.csv', '.epoch_25.pth'):
        (tmp_path / name).touch()
    text = nearby_files(tmp_path / 'epoch_25.pth')
    assert text == f' {tmp_path} has epoch_2.pth, prompts.pth.'
    text = nearby_files(tmp_path / 'image_labels.csv')
    assert text == f' {tmp_path} has labels.csv.'
    assert nearby_files(tmp_path / 'classes.yaml') == ''
    assert 'There is no folder' in nearby_files(tmp_path / 'a' / 'b.pth')
    assert 'is a folder' in nearby_files(tmp_path)
    assert nearby_files('nul\0byte') == ''
    with pytest.raises(
        UserInputError, match=r'not there\. .* has labels\.csv'
    ):
        resolve_path(tmp_path / 'label.csv', 'Put it there.')


def test_names_that_are_alike() -> None:
    assert nearby_names('max_iter', ['max_iters', 'by_epoch']) == (
        ' Is `max_iters` meant?'
    )
    assert nearby_names('zzz', ['max_iters']) == ''
