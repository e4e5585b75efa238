# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run a command that ends when this process is told to end."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

__all__ = ['StoppedBySignal', 'run_command']

_PASSED_ON = ('SIGINT', 'SIGTERM', 'SIGHUP')
_PATIENCE = 30.0  # seconds until a command that was told to end is killed
_LINGERING = 5.0  # seconds that workers may take to follow their parent
_PR_SET_PDEATHSIG = 1


class StoppedBySignal(Exception):  # noqa: N818  it is no error
    """A command was ended because this process was told to end.

    Args:
        number (int): Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def run_command(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: IO[Any] | None = None,
) -> tuple[int, float]:
    """Run a command to its end.

    SIGINT, SIGTERM and SIGHUP go to all its processes, of which none
    outlives this function; on Linux none outlives a kill of this process,
    either.

    Args:
        command (Sequence[str]): Program and arguments.
        folder (Path): Where it runs.
        environment (Mapping[str, str]): All its variables.
        output (IO, optional): Takes its standard output.

    Returns:
        tuple[int, float]: Exit code, and the largest resident memory of one
        of its processes, MiB; 0 where the system does not tell.

    Raises:
        StoppedBySignal: If this process was told to end.
    """
    received: list[int] = []
    groups: list[int] = []
    with _handling_signals(received, groups):
        # Start it as a group of its own, which signals reach as a whole.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            start_new_session=True,  # a group of its own
            preexec_fn=_die_with_parent() if os.name == 'posix' else None,
        )
        groups.append(process.pid)
        if received:  # while it was started
            _signal_group(process.pid, received[-1])
        # Wait for it, and end what it may have left.
        try:
            result = _wait(process)
        except BaseException:
            _signal_group(process.pid, getattr(signal, 'SIGKILL', 9))
            process.wait()
            raise
        _end_group(process.pid)
    if received:
        raise StoppedBySignal(received[0])
    return result


@contextmanager
def _handling_signals(
    received: list[int], groups: list[int]
) -> Iterator[None]:
    """Note signals, and pass them on; a second one, or time, kills."""

    def pass_on(number: int, frame: Any = None) -> None:
        received.append(number)
        for group in groups:
            if len(received) > 1:
                _signal_group(group, getattr(signal, 'SIGKILL', 9))
            else:
                _signal_group(group, number)
                timer.start()

    def lose_patience() -> None:
        for group in groups:
            _signal_group(group, getattr(signal, 'SIGKILL', 9))

    # Kill after a while what does not follow the signal.
    timer = threading.Timer(_PATIENCE, lose_patience)
    timer.daemon = True
    # Handle signals in the main thread, the only one that may.
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in _PASSED_ON:
            if hasattr(signal, name):
                number = getattr(signal, name)
                before[number] = signal.signal(number, pass_on)
    # Let the block run, then put the old handlers back.
    try:
        yield
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, 'killpg'):
            os.killpg(group, number)
        else:
            os.kill(group, signal.SIGTERM)


def _end_group(group: int) -> None:
    """See that nothing is left of what the command started."""
    if not hasattr(os, 'killpg'):
        return
    # Wait until the group is empty, then kill the rest.
    deadline = time.monotonic() + _LINGERING
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.02)
    _signal_group(group, signal.SIGKILL)


def _wait(process: 'subprocess.Popen[Any]') -> tuple[int, float]:
    """Wait for the exit code and the peak memory in MiB."""
    if not hasattr(os, 'wait4'):  # Windows
        return process.wait(), 0.0
    # Collect the status with the memory used, which wait() drops.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if sys.platform == 'darwin' else 2**10  # bytes, KiB
    return process.returncode, round(usage.ru_maxrss / unit, 1)


def _die_with_parent() -> Any:
    """Make the function that ties a child to this process, on Linux."""
    if sys.platform != 'linux':
        return None
    # Load what the child needs before it is split off.
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has died meanwhile
            os._exit(1)

    return tie
