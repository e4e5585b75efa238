# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A command ends with the process that runs it; nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmfmwsss.apis import run_command

ROOT = Path(__file__).parents[2]
# A command with a worker, as a training with its data loader; both say who
# they are. The worker of the second kind does not listen.
STAGE = """
import os, signal, sys, time
for part in ('stage', 'worker'):
    if part == 'worker' and 'deaf' in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if part == 'stage' and os.fork():
        with open('stage.part', 'w') as file:
            file.write(str(os.getpid()))
        os.rename('stage.part', 'stage')
        time.sleep(60)
        sys.exit()
with open('worker.part', 'w') as file:
    file.write(str(os.getpid()))
os.rename('worker.part', 'worker')
time.sleep(60)
"""
PARENT = """
import os, sys
from pathlib import Path
from mmfmwsss.apis import run_command, run_reporting_user_errors
command = [sys.executable, '-c', *sys.argv[1:]]
def main():
    run_command(command, Path.cwd(), os.environ)
    return 0
run_reporting_user_errors(main)
"""


def is_running(number: int) -> bool:
    """Whether there is such a process that is no zombie."""
    try:
        state = Path(f'/proc/{number}/stat').read_text()
    except OSError:
        return False
    return state.rpartition(')')[2].split()[0] != 'Z'


def wait_until(condition: object, seconds: float = 60) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())


def start(folder: Path, *more: str) -> 'subprocess.Popen[str]':
    process = subprocess.Popen(
        [sys.executable, '-c', PARENT, STAGE, *more],
        cwd=folder,
        env=os.environ | dict(PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    names = ('stage', 'worker')
    assert wait_until(lambda: all((folder / n).exists() for n in names))
    return process


def numbers(folder: Path) -> list[int]:
    return [int((folder / name).read_text()) for name in ('stage', 'worker')]


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT', 'SIGHUP'])
def test_a_signal_goes_to_all_processes(tmp_path: Path, name: str) -> None:
    process = start(tmp_path)
    number = getattr(signal, name)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f'Stopped by {name}. What is done is kept' in output
    assert not any(is_running(n) for n in numbers(tmp_path))


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_a_worker_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path, 'deaf')
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert wait_until(lambda: not any(map(is_running, numbers(tmp_path))), 5)


@pytest.mark.skipif(sys.platform != 'linux', reason='prctl is of Linux')
def test_a_killed_parent_takes_the_command_along(tmp_path: Path) -> None:
    process = start(tmp_path)
    stage, worker = numbers(tmp_path)
    process.kill()
    process.communicate()
    try:
        assert wait_until(lambda: not is_running(stage), 5)
    finally:
        if is_running(worker):
            os.kill(worker, signal.SIGKILL)  # a data loader's ends itself


def test_exit_code_memory_and_handlers(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    code, peak_mib = run_command(
        [sys.executable, '-c', 'raise SystemExit(7)'], tmp_path, os.environ
    )
    assert code == 7
    assert peak_mib == 0 or 1 < peak_mib < 10_000
    assert signal.getsignal(signal.SIGTERM) is before
