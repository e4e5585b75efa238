# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Describe a stage: its command, the configs it reads, what it writes."""

import logging
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger

from ...apis.options import merge_options, read_options
from ...utils import environment_set, read_config

__all__ = ['Stage', 'read_stage_configs']

_OPTIONS = '--cfg-options'


@dataclass(frozen=True)
class Stage:
    """One command of a chain.

    Attributes:
        name: Names its record and its log.
        title: What it does, for people.
        command: Arguments after ``python``; they say what the result is.
        needs: Names of the stages it reads from; it runs again after them.
        environment: Variables its config reads.
        outputs: Files and folders it writes, below the repository.
        inputs: Files and folders it reads that no stage writes.
        launch: Words to run in place of ``python`` and the command, for the
            same result by several processes.
    """

    name: str
    title: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    launch: tuple[str, ...] = ()

    def configs(self) -> list[str]:
        """Return the configs among its arguments."""
        return [word for word in self.command if word.startswith('configs/')]

    @property
    def is_training(self) -> bool:
        """Tell whether it trains something."""
        return self.command[0].endswith('train.py')

    def options(self) -> list[str]:
        """Return the KEY=VALUE texts after its ``--cfg-options``."""
        if _OPTIONS not in self.command:
            return []
        found = []
        for word in self.command[self.command.index(_OPTIONS) + 1 :]:
            if word.startswith('--'):
                break
            found.append(word)
        return found

    def shell_line(self) -> str:
        """Write it as a line that can be pasted into a shell."""
        variables = [
            f'{k}={shlex.quote(v)}' for k, v in self.environment.items()
        ]
        words = self.launch or ('python', *self.command)
        return ' '.join([*variables, shlex.join(words)])


def read_stage_configs(root: Path, stage: Stage) -> list[Config]:
    """Read the configs of a stage as its command will see them.

    Args:
        root (Path): The repository.
        stage (Stage): Its variables are set meanwhile, and its
            ``--cfg-options`` are merged.

    Returns:
        list[Config]: One for each of its arguments in ``configs/``.
    """
    options = read_options(stage.options())
    with environment_set(stage.environment), _silent_logger():
        configs = [read_config(root / path) for path in stage.configs()]
        for config in configs:
            merge_options(config, options)
    return configs


def work_dir_of(stage: Stage, configs: list[Config]) -> str | None:
    """Find the folder of a run's logs and scores, if it has one."""
    if '--work-dir' in stage.command:
        return stage.command[stage.command.index('--work-dir') + 1]
    folders = [config.get('work_dir') for config in configs]
    return folders[0] if folders else None


def outputs_of(stage: Stage, configs: list[Config]) -> list[str]:
    """List files and folders that a stage writes, as far as is known."""
    work_dir = work_dir_of(stage, configs)
    folders = [*stage.outputs, *filter(None, [work_dir])]
    # Add what a test writes beside its scores, such as masks and seeds
    if not stage.is_training:
        for config in configs:
            folders += _values_of('output_dir', config.to_dict())
    return folders


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


def _values_of(key: str, config: Any) -> list[str]:
    """Collect the strings under a key, anywhere in a config."""
    if isinstance(config, Mapping):
        own = config.get(key)
        values = [own] if isinstance(own, str) else []
        return values + _values_of(key, list(config.values()))
    if isinstance(config, list | tuple):
        return [value for part in config for value in _values_of(key, part)]
    return []
