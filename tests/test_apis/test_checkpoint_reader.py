# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What mmengine reads in a tool goes through the package's reader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.runner import CheckpointLoader, load_checkpoint
from mmseg.registry import MODELS
from torch import nn

from mmfmwsss.apis import checkpoint_reader
from mmfmwsss.apis import install_checkpoint_reader as install
from mmfmwsss.utils import UserInputError


@pytest.fixture(autouse=True)
def restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The loaders of mmengine are those of the process: put them back."""
    monkeypatch.setattr(
        CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes)
    )
    monkeypatch.setattr(
        checkpoint_reader, 'get_dir', lambda: str(tmp_path / 'hub')
    )
    yield
    checkpoint_reader._trusted.clear()


def evil(path: Path, hostile: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict={}, meta=dict(dataset_meta=hostile)), path)
    return str(path)


def test_a_local_file(tmp_path: Path, hostile: Any) -> None:
    install()
    path = evil(tmp_path / 'evil.pth', hostile)
    with pytest.raises(UserInputError, match='--trust-checkpoint'):
        load_checkpoint(nn.Linear(2, 2), path)


def test_an_address(
    tmp_path: Path, hostile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(url: str, file: str, **_: Any) -> None:
        assert url == 'https://models.example/a/evil.pth?x=1'
        evil(Path(file), hostile)

    monkeypatch.setattr(checkpoint_reader, 'download_url_to_file', fetch)
    install()
    for _ in range(2):  # fetched, and from the cache
        with pytest.raises(UserInputError, match='would run code'):
            load_checkpoint(
                nn.Linear(2, 2), 'https://models.example/a/evil.pth?x=1'
            )
    assert [f.name for f in (tmp_path / 'hub/checkpoints').iterdir()] == [
        'evil.pth'
    ]


def test_an_address_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fetch(*_: Any, **__: Any) -> None:
        raise OSError('no route to host')

    monkeypatch.setattr(checkpoint_reader, 'download_url_to_file', fetch)
    install()
    with pytest.raises(UserInputError, match='no route to host'):
        load_checkpoint(nn.Linear(2, 2), 'http://models.example/a.pth')


@pytest.mark.parametrize(
    'name',
    [
        'torchvision://resnet18',
        'modelzoo://resnet18',
        'open-mmlab://resnet50_v1c',
        'openmmlab://resnet50_v1c',
        'mmcls://resnet50_v1c',
    ],
)
def test_published_names(
    name: str, hostile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        checkpoint_reader,
        'download_url_to_file',
        lambda url, file, **_: evil(Path(file), hostile),
    )
    monkeypatch.setattr(
        checkpoint_reader.mm,
        'get_mmcls_models',
        lambda: {'resnet50_v1c': 'https://models.example/a.pth'},
    )
    install()
    with pytest.raises(UserInputError, match='would run code'):
        load_checkpoint(nn.Linear(2, 2), name)
    with pytest.raises(UserInputError, match='there is none'):
        load_checkpoint(nn.Linear(2, 2), f'{name}_of_nobody')


@pytest.mark.parametrize('scheme', ['s3', 'cluster:s3', 'petrel', 'pavi'])
def test_places_without_a_file(scheme: str) -> None:
    install()
    with pytest.raises(UserInputError, match='local file'):
        load_checkpoint(nn.Linear(2, 2), f'{scheme}://bucket/a.pth')


def test_init_cfg(tmp_path: Path, hostile: Any) -> None:
    path = evil(tmp_path / 'evil.pth', hostile)
    install()
    backbone = MODELS.build(
        dict(
            type='ResNetV1c',
            depth=18,
            base_channels=8,
            stem_channels=8,
            init_cfg=ConfigDict(type='Pretrained', checkpoint=path),
        )
    )
    with pytest.raises(UserInputError, match='would run code'):
        backbone.init_weights()


def test_only_the_trusted_file_may_run(tmp_path: Path) -> None:
    files = [tmp_path / 'mine.pth', tmp_path / 'another.pth']
    for file in files:
        torch.save(dict(state_dict={}, meta=dict(root=Path())), file)
    install(str(files[0]))
    load_checkpoint(nn.Sequential(), str(files[0]))
    with pytest.raises(UserInputError, match='pathlib'):
        load_checkpoint(nn.Sequential(), str(files[1]))


def test_the_config_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    # mmengine's `resume` runs meta['config'] as Python
    file = tmp_path / 'a.pth'
    torch.save(dict(state_dict={}, meta=dict(config='1 / 0', iter=3)), file)
    install()
    content = CheckpointLoader.load_checkpoint(str(file))
    assert content['meta'] == dict(iter=3)


def test_no_dict(tmp_path: Path) -> None:
    torch.save([1], tmp_path / 'a.pth')
    install()
    with pytest.raises(UserInputError, match='got a list'):
        load_checkpoint(nn.Sequential(), str(tmp_path / 'a.pth'))
