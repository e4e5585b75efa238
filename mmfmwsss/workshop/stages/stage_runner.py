# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run commands of this project one after another, each once."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...apis.processes import run_command
from ...utils import UserInputError, atomic_path, digest_of_file
from .manifests import (
    Manifest,
    digest_of_files,
    digest_of_results,
    take_manifest,
)
from .stage import Stage, outputs_of, read_stage_configs, work_dir_of

__all__ = ['StageRecord', 'StageRunner']

_LONGEST_PATH = 1000  # characters
_TAIL = 15  # lines of a failed stage's log that are shown


@dataclass(frozen=True)
class StageRecord:
    """Record what running a stage took.

    Attributes:
        key: Hash of the command, its config, what it reads and what it needs.
        seconds: Wall-clock time.
        peak_mib: Largest resident memory of one of its processes, MiB; 0
            where the system does not tell.
        outputs: The files it wrote, with their hashes.
    """

    key: str
    seconds: float
    peak_mib: float
    outputs: Manifest = field(default_factory=dict)


class StageRunner:
    """Runs stages, skipping what is done and unchanged.

    A stage is done if its record exists; its command, its config (as
    resolved, with the variables it reads), the files that it reads and what
    the stages it needs wrote are those of the record; and its own outputs are
    as it left them. What was deleted or edited is made again, and what reads
    it runs again if it is not what it was. A training that was stopped is
    resumed from its latest checkpoint.

    Args:
        root (Path): The repository, where the commands run.
        out (Path): Folder of the records (``stages``) and ``logs``.
    """

    def __init__(self, root: Path, out: Path) -> None:
        self.root = root
        self.out = out
        self.records: dict[str, StageRecord] = {}
        # Inputs are hashed once, for a data set may be large.
        self._seen: dict[str, list[str | int]] = _read_json(self._seen_path)

    def key(self, stage: Stage) -> str:
        """Hash everything that makes a stage's result what it is.

        Where the repository lies is no part of it, so that runs of several
        machines can be put together.
        """
        parts = [
            json.dumps([stage.command, sorted(stage.environment.items())])
        ]
        # Add the configs, and what they name
        for config in read_stage_configs(self.root, stage):
            parts.append(config.pretty_text)
            parts += self._digest_named_files(config.to_dict())
        # Add the inputs, and remember their digests for the next run
        inputs = take_manifest(self.root, stage.inputs, self._seen)
        if any(self._seen.get(n) != entry for n, entry in inputs.items()):
            self._seen |= inputs
            with atomic_path(self._seen_path) as path:
                path.write_text(json.dumps(self._seen))
        parts.append(digest_of_results(inputs))
        # Add the results of the stages before
        for name in stage.needs:
            record = self.records[name]
            parts += [record.key, digest_of_results(record.outputs)]
        # Name files of the repository as seen from it
        text = '\0'.join(parts).replace(f'{self.root.absolute()}{os.sep}', '')
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def recorded(self, stage: Stage) -> StageRecord | None:
        """Find the record of a stage that is done and unchanged."""
        try:
            record = StageRecord(**_read_json(self._record_path(stage)))
        except TypeError:
            return None  # none, or of an earlier version
        if record.key != self.key(stage):
            return None
        # Compare the files with those that the stage left
        found = take_manifest(self.root, record.outputs, record.outputs)
        same = digest_of_files(found) == digest_of_files(record.outputs)
        return record if same else None

    def run(self, stage: Stage) -> bool:
        """Run a stage unless it is done.

        Returns:
            bool: Whether it ran.

        Raises:
            UserInputError: If the command fails.
            StoppedBySignal: If this process was told to end.
        """
        record = self.recorded(stage)
        ran = record is None
        if record is None:
            key = self.key(stage)
            before, resume = self._begin(stage, key)
            started = time.time()
            peak_mib = self._execute(stage, resume)
            seconds = round(before + time.time() - started, 1)
            outputs = self._manifest(stage)
            record = StageRecord(key, seconds, peak_mib, outputs)
            with atomic_path(self._record_path(stage)) as path:
                path.write_text(json.dumps(vars(record)))
            self._begun_path(stage).unlink()
        self.records[stage.name] = record
        return ran

    def adopt(self, stage: Stage) -> None:
        """Take the results of a stage as they are, made by it or not."""
        try:
            record = StageRecord(**_read_json(self._record_path(stage)))
        except TypeError:  # none, or of an earlier version
            record = StageRecord('', 0.0, 0.0, self._manifest(stage))
        # Look at the files again, which may have been edited
        outputs = take_manifest(self.root, record.outputs, record.outputs)
        self.records[stage.name] = replace(record, outputs=outputs)

    def forget(self, stage: Stage) -> None:
        """Delete the record of a stage, and the files that it left."""
        record = _read_json(self._record_path(stage))
        for name in record.get('outputs', {}):
            (self.root / name).unlink(missing_ok=True)
        for path in (self._record_path(stage), self._begun_path(stage)):
            path.unlink(missing_ok=True)

    def work_dir(self, stage: Stage) -> str | None:
        """Find the folder of a stage's logs and scores, if it has one."""
        return work_dir_of(stage, read_stage_configs(self.root, stage))

    def _manifest(self, stage: Stage) -> dict[str, list[str | int]]:
        configs = read_stage_configs(self.root, stage)
        return take_manifest(self.root, outputs_of(stage, configs))

    def _digest_named_files(self, config: Any) -> list[str]:
        """Hash the files that a config names, such as weights."""
        if isinstance(config, Mapping):
            config = list(config.values())
        if isinstance(config, list | tuple):
            found = [self._digest_named_files(value) for value in config]
            return [digest for digests in found for digest in digests]
        if not isinstance(config, str) or len(config) > _LONGEST_PATH:
            return []
        return [d for d in [digest_of_file(self.root / config)] if d]

    def _begin(self, stage: Stage, key: str) -> tuple[float, bool]:
        """Take note of the start.

        Returns:
            tuple[float, bool]: Seconds that a training has taken up to the
            checkpoint from which it can be resumed, and whether it can.
        """
        path = self._begun_path(stage)
        begun = _read_json(path)
        seconds, resume = 0.0, False
        work_dir = self.work_dir(stage) if stage.is_training else None
        if work_dir is not None and begun.get('key') == key:
            latest = self.root / work_dir / 'last_checkpoint'
            # One of before is of another training.
            resume = latest.is_file() and latest.stat().st_mtime > begun['at']
            if resume:
                seconds = begun['seconds'] + latest.stat().st_mtime
                seconds -= begun['at']
        with atomic_path(path) as temporary:
            content = dict(key=key, seconds=seconds, at=time.time())
            temporary.write_text(json.dumps(content))
        return seconds, resume

    @property
    def _seen_path(self) -> Path:
        return self.out / 'stages' / '.inputs.json'

    def _begun_path(self, stage: Stage) -> Path:
        return self.out / 'stages' / f'{stage.name}.begun.json'

    def _record_path(self, stage: Stage) -> Path:
        return self.out / 'stages' / f'{stage.name}.json'

    def _execute(self, stage: Stage, resume: bool) -> float:
        """Run the command, its log into a file; peak memory in MiB."""
        words = [*(stage.launch or (sys.executable, *stage.command))]
        words += ['--resume'] if resume else []
        log = self.out / 'logs' / f'{stage.name}.log'
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ) | dict(stage.environment)
        environment['PYTHON'] = sys.executable  # for tools/dist_*.sh
        environment['PYTHONPATH'] = os.pathsep.join(
            filter(None, [str(self.root), environment.get('PYTHONPATH')])
        )
        with log.open('w') as file:
            # The log goes to a file, the progress bar to the terminal.
            code, peak_mib = run_command(words, self.root, environment, file)
        if code:
            tail = '\n'.join(log.read_text().splitlines()[-_TAIL:])
            raise UserInputError(
                f'{tail}\n{stage.title}: `{stage.shell_line()}` '
                f'failed with exit code {code}; see {log}.'
            )
        return peak_mib


def _read_json(path: Path) -> dict[str, Any]:
    """Read an object that a run wrote; empty where there is none."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
