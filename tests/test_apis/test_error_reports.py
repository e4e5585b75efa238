# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A command ends with one line; defects keep their traceback."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmseg.registry import MODELS, TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from mmfmwsss.apis import explain_error, run_reporting_user_errors
from mmfmwsss.utils import UserInputError


class Failing(Dataset):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        raise self.error


def ended(error: BaseException, code: int = 2) -> None:
    def main() -> int:
        raise error

    with pytest.raises(SystemExit) as end:
        run_reporting_user_errors(main)
    assert end.value.code == code


def last_line(capfd: pytest.CaptureFixture[str]) -> str:
    err = capfd.readouterr().err
    assert 'Traceback' not in err
    return err.rstrip('\n').split('\n')[-1]


def test_begins_with_the_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    ended(UserInputError('Expected a cat, but got a dog. Call it.'))
    assert (
        capfd.readouterr().err == 'Expected a cat, but got a dog. Call it.\n'
    )
    ended(UserInputError('class `A` in mmfmwsss/a/b.py: Expected a cat.'))
    assert last_line(capfd) == 'Expected a cat.'


def test_errors_of_workers(capfd: pytest.CaptureFixture[str]) -> None:
    for error in (UserInputError('Expected x: y.'), OSError(2, 'no', 'a.jpg')):
        with pytest.raises(type(error)) as caught:
            next(iter(DataLoader(Failing(error), num_workers=1)))
        ended(caught.value)
        line = last_line(capfd)
        assert line.startswith('Expected ')
        assert line == 'Expected x: y.' or 'a.jpg' in line


def test_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    ended(KeyboardInterrupt(), code=130)
    assert last_line(capfd).startswith('Stopped by SIGINT. ')


@pytest.mark.parametrize(
    ('number', 'expected'),
    [
        (errno.ENOSPC, r'Expected to write .*out\.png.*Free space'),
        (errno.EACCES, r'out\.png.*permissions'),
        (errno.EROFS, r'out\.png.*not read-only'),
        (errno.ENOTDIR, r'out\.png.*another path'),
        (errno.EEXIST, r'out\.png.*another path'),
        (errno.EMFILE, r'ulimit -n 4096'),
        (errno.EPIPE, r'broken pipe'),
        (errno.ENOENT, r'Expected .*out\.png, but it is not there'),
        (errno.EIO, r'out\.png, but: Input/output error'),
    ],
)
def test_what_the_system_refuses(
    number: int, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def write(path: str) -> int:  # as write(2), which does not say the file
        raise OSError(number, os.strerror(number))

    with pytest.raises(SystemExit):
        run_reporting_user_errors(lambda: write('/x/out.png'))
    line = last_line(capfd)
    with pytest.raises(AssertionError, match=expected):
        raise AssertionError(line)


def test_full_disks_of_libraries(tmp_path: Path) -> None:
    if not Path('/dev/full').exists():
        pytest.skip('no /dev/full')
    with pytest.raises(Exception) as caught:  # noqa: PT011
        torch.save(torch.zeros(100_000), '/dev/full')
    text = explain_error(caught.value)
    assert text is not None
    assert 'Free space' in text
    assert '\n' not in text


def test_too_little_memory() -> None:
    for error in (
        MemoryError(),
        torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate'),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    ):
        text = explain_error(error)
        assert text is not None
        assert 'batch_size' in text
        assert 'points_per_batch' in text


def test_classes_that_are_not_registered() -> None:
    for registry, name, alike in (
        (TRANSFORMS, 'PackWSSInputs', 'Is `PackWSSSInputs`'),
        (MODELS, 'NoSuchModelAtAll', 'custom_imports'),
    ):
        with pytest.raises(KeyError) as caught:
            registry.build(dict(type=name))
        text = explain_error(caught.value)
        assert text is not None
        assert text.startswith(f'The config has the type `{name}`')
        assert alike in text
    with pytest.raises(TypeError) as wrong:
        TRANSFORMS.build(dict(type='PackWSSSInputs', nothing=1))
    text = explain_error(wrong.value)
    assert text is not None
    assert 'nothing' in text


def test_defects_are_no_user_errors() -> None:
    for error in (
        ValueError('x'),
        KeyError('x'),
        TypeError('x'),
        RuntimeError(),
    ):
        assert explain_error(error) is None


def test_log_files_and_launchers_have_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MMLogger.get_instance('reports', log_file=str(tmp_path / 'a.log'))
    monkeypatch.setenv('TORCHELASTIC_ERROR_FILE', str(tmp_path / 'e.json'))
    monkeypatch.setenv('MMFMWSSS_ERROR_FILE', str(tmp_path / 'e.txt'))
    ended(UserInputError('Expected a cat.'))
    ended(FileNotFoundError(2, 'no', 'cat.png'))
    log = (tmp_path / 'a.log').read_text()
    assert 'Expected a cat.' in log
    assert 'Traceback' in log  # for what was not foreseen
    text = (tmp_path / 'e.txt').read_text()
    assert text.startswith('Expected cat.png')
    about = json.loads((tmp_path / 'e.json').read_text())['message']
    assert about['extraInfo']['py_callstack'] == text.strip()
