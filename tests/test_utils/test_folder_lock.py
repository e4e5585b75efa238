# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Two runs in one folder: the second is refused, until the first is over."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmfmwsss.utils import UserInputError, folder_lock, locked_folder

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from mmfmwsss.utils import locked_folder
with locked_folder(sys.argv[1]):
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator['subprocess.Popen[str]']:
    """A process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLDER, str(tmp_path)],
        env=os.environ | dict(PYTHONPATH=str(ROOT)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_refused_until_the_first_is_killed(
    holder: 'subprocess.Popen[str]', tmp_path: Path
) -> None:
    said = rf'process {holder.pid} on .* since 20\d\d-.*Wait until it is done'
    with pytest.raises(UserInputError, match=said), locked_folder(tmp_path):
        pass
    with locked_folder(tmp_path, 'another kind'):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert [path.name for path in tmp_path.iterdir()] == ['.run.lock']
    with locked_folder(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_the_folder_is_made_and_freed_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            pytest.raises(ValueError, match='mine'),
            locked_folder(tmp_path / 'a' / 'b'),
        ):
            raise ValueError('mine')
    assert not list((tmp_path / 'a' / 'b').iterdir())


def test_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(folder_lock, '_lock', refuse)
    with locked_folder(tmp_path):
        done = True
    assert done
