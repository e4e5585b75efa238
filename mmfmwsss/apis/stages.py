# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run commands of this project one after another, each once."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.logging import MMLogger

from ..utils import UserInputError, atomic_path, read_config

__all__ = ['Stage', 'StageRecord', 'StageRunner']

_TAIL = 15  # lines of a failed stage's log that are shown


@dataclass(frozen=True)
class Stage:
    """One command of a chain.

    Attributes:
        name: Names its record and its log.
        title: What it does, for people.
        command: Arguments after ``python``.
        needs: Names of the stages it reads from; it runs again after them.
        environment: Variables its config reads.
    """

    name: str
    title: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def configs(self) -> list[str]:
        """The configs among its arguments."""
        return [a for a in self.command if a.startswith('configs/')]

    @property
    def is_training(self) -> bool:
        """Whether it trains something."""
        return self.command[0].endswith('train.py')


@dataclass(frozen=True)
class StageRecord:
    """What running a stage took.

    Attributes:
        key: Hash of the command, its config and what it needs.
        seconds: Wall-clock time.
        peak_mib: Largest resident memory of one of its processes, MiB; 0
            where the system does not tell.
    """

    key: str
    seconds: float
    peak_mib: float


class StageRunner:
    """Runs stages, skipping what is done and unchanged.

    A stage is done if its record exists and its command, its config (as
    resolved, with the variables it reads) and the records of the stages it
    needs are those of the record.

    Args:
        root (Path): The repository, where the commands run.
        out (Path): Folder of the records (``stages``) and ``logs``.
    """

    def __init__(self, root: Path, out: Path) -> None:
        self.root = root
        self.out = out
        self.records: dict[str, StageRecord] = {}

    def key(self, stage: Stage) -> str:
        """Hash of everything that makes a stage's result what it is."""
        parts = [
            json.dumps([stage.command, sorted(stage.environment.items())])
        ]
        with _environment(stage.environment), _silent_logger():
            for path in stage.configs():
                parts.append(read_config(self.root / path).pretty_text)
        parts += [self.records[name].key for name in stage.needs]
        return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:16]

    def recorded(self, stage: Stage) -> StageRecord | None:
        """Record of a stage that is done and unchanged."""
        try:
            text = self._record_path(stage).read_text()
            record = StageRecord(**json.loads(text))
        except (OSError, ValueError, TypeError):
            return None  # none, or of an earlier version
        return record if record.key == self.key(stage) else None

    def run(self, stage: Stage) -> bool:
        """Run a stage unless it is done.

        Returns:
            bool: Whether it ran.

        Raises:
            UserInputError: If the command fails.
        """
        record = self.recorded(stage)
        ran = record is None
        if record is None:
            key = self.key(stage)
            started = time.time()
            peak_mib = self._execute(stage)
            seconds = round(time.time() - started, 1)
            record = StageRecord(key, seconds, peak_mib)
            with atomic_path(self._record_path(stage)) as path:
                path.write_text(json.dumps(vars(record)))
        self.records[stage.name] = record
        return ran

    def _record_path(self, stage: Stage) -> Path:
        return self.out / 'stages' / f'{stage.name}.json'

    def _execute(self, stage: Stage) -> float:
        """Run the command, its log into a file; peak memory in MiB."""
        log = self.out / 'logs' / f'{stage.name}.log'
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ) | dict(stage.environment)
        environment['PYTHONPATH'] = os.pathsep.join(
            filter(None, [str(self.root), environment.get('PYTHONPATH')])
        )
        with log.open('w') as file:
            # The log goes to a file, the progress bar to the terminal.
            process = subprocess.Popen(
                [sys.executable, *stage.command],
                cwd=self.root,
                env=environment,
                stdout=file,
            )
            code, peak_mib = _wait(process)
        if code:
            tail = '\n'.join(log.read_text().splitlines()[-_TAIL:])
            raise UserInputError(
                f'{tail}\n{stage.title}: `python {" ".join(stage.command)}` '
                f'failed with exit code {code}; see {log}.'
            )
        return peak_mib


def _wait(process: 'subprocess.Popen[bytes]') -> tuple[int, float]:
    """Exit code and peak memory in MiB."""
    try:
        if not hasattr(os, 'wait4'):  # Windows
            return process.wait(), 0.0
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if sys.platform == 'darwin' else 2**10  # bytes, KiB
    return process.returncode, round(usage.ru_maxrss / unit, 1)


@contextmanager
def _silent_logger() -> Iterator[None]:
    """Spare the terminal a line for each variable that a config reads."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
