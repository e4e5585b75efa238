# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read the folder of a run: config, scores, curves, label maps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...utils import UserInputError, read_config

__all__ = ['Result', 'RunFolder', 'find_runs']

_METRICS = 'metrics.json'


@dataclass(frozen=True)
class Result:
    """Label maps that a metric of a run writes or scores.

    Attributes:
        run: The run.
        field: Name of the label maps in the predicted samples.
        prefix: In front of the keys in ``metrics.json``; '' for none.
        label_dir: Folder of the label maps, if they were written.
        ground_truth_dir: Folder of the ground truth, if the metric names one.
        reads_annotations: Whether the ground truth is the data set's own.
        split: What was scored.
        protocol: How it was made.
    """

    run: 'RunFolder'
    field: str
    prefix: str
    label_dir: Path | None
    ground_truth_dir: Path | None
    reads_annotations: bool
    split: str
    protocol: str

    @property
    def title(self) -> str:
        """Name the result for people, such as 'fine seed'."""
        plain = 'prediction' if self.field == 'pred_sem_seg' else self.field
        return plain.replace('_', ' ')

    def score(self, key: str) -> float | None:
        """Return a number of ``metrics.json``, such as 'mIoU'."""
        full = f'{self.prefix}/{key}' if self.prefix else key
        value = self.run.metrics.get(full)
        return None if value is None else float(value)

    @property
    def record(self) -> dict[str, Any]:
        """Return the notes of the metric beside its numbers."""
        records: dict[str, Any] = self.run.record.get('records', {})
        return dict(records.get(self.prefix, {}))


@dataclass(frozen=True)
class RunFolder:
    """A work_dir of ``tools/train.py`` or ``tools/test.py``.

    Attributes:
        path: The folder.
        name: Short name in the report.
        config: The config as it was run.
        record: ``metrics.json``; empty for a training.
    """

    path: Path
    name: str
    config: Config
    record: Mapping[str, Any]

    @property
    def metrics(self) -> dict[str, float]:
        """Return the numbers by name."""
        return dict(self.record.get('metrics', {}))

    @cached_property
    def scalars(self) -> list[dict[str, float]]:
        """Read the training log by step; resumed runs are joined."""
        # Merge the logs of all starts, later lines over earlier ones
        rows: dict[int, dict[str, float]] = {}
        for file in sorted(self.path.glob('*/vis_data/scalars.json')):
            for line in file.read_text(encoding='utf-8').splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    continue  # cut off while it was written
                rows.setdefault(int(row.get('step', 0)), {}).update(row)
        # Sort by step, across the starts
        return [rows[step] for step in sorted(rows)]

    @cached_property
    def results(self) -> list[Result]:
        """List a result for each metric of the test that scores label maps."""
        # Bring the metrics to a list
        evaluators = self.config.get('test_evaluator') or []
        if isinstance(evaluators, Mapping):
            evaluators = [evaluators]
        # Keep those that score label maps
        return [
            self._result(evaluator)
            for evaluator in evaluators
            if evaluator.get('type') in ('SeedMetric', 'IoUMetric')
        ]

    def _result(self, evaluator: Mapping[str, Any]) -> Result:
        # Read the settings, with our metric's and mmseg's defaults
        field = evaluator.get('prediction', 'pred_sem_seg')
        ours = evaluator['type'] == 'SeedMetric'
        truth = evaluator.get('ground_truth_dir')
        # Describe the result, in the folder where the run is now
        return Result(
            run=self,
            field=field,
            prefix=evaluator.get('prefix') or (field if ours else ''),
            label_dir=self._moved(evaluator.get('output_dir')),
            ground_truth_dir=Path(truth) if truth else None,
            reads_annotations=not ours,
            split=evaluator.get('split', ''),
            protocol=evaluator.get('protocol', ''),
        )

    def _moved(self, folder: str | None) -> Path | None:
        """Find a folder of the run, also where the run was moved or copied."""
        if not folder:
            return None
        places = (Path(folder), self.path / Path(folder).name)
        return next((p for p in places if p.is_dir()), None)

    def checkpoint(self) -> Path | None:
        """Find the weights that were tested, or the last of a training."""
        # Ask the record of the test, then the training, then the config
        if self.record:
            named = self.record.get('checkpoint')
        elif (self.path / 'last_checkpoint').is_file():
            named = (self.path / 'last_checkpoint').read_text().strip()
        else:
            named = self.config.get('load_from')
        if not named:
            return None
        # Prefer the file in the run's folder, which may have moved
        beside = self.path / Path(named).name
        return beside if beside.is_file() else Path(named)


def find_runs(folders: Sequence[Path]) -> list[RunFolder]:
    """Find the runs in some folders, oldest first.

    Args:
        folders (Sequence[Path]): Work_dirs, or folders of them at any depth.

    Returns:
        list[RunFolder]: In the order in which they were made. Their names are
        distinct: as short as they can be.

    Raises:
        UserInputError: If there is none in one of the folders, or a config
            cannot be read.
    """
    # Find the configs that runs left, at any depth
    found: dict[Path, float] = {}
    for folder in folders:
        files = _config_files(folder)
        if not files:
            raise UserInputError(
                'Expected the work_dir of a run, or a folder of them, at '
                f'{folder}, but there is no config in it. tools/train.py and '
                'tools/test.py write one, e.g. to work_dirs/partworld/seed.'
            )
        found.update((file, file.stat().st_mtime) for file in files)
    # Sort by age, and name the runs briefly
    files = sorted(found, key=lambda file: (found[file], file))
    names = _short_names([file.parent for file in files])
    return [
        _read_run(file, name) for file, name in zip(files, names, strict=True)
    ]


def _short_names(paths: Sequence[Path]) -> list[str]:
    """Shorten each path to its last part, or to what tells them apart."""
    # Lengthen the names until they differ
    parts = [path.resolve().parts for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        names = ['/'.join(p[-count:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    raise ValueError(f'Expected different folders, got {list(paths)}.')


def _config_files(folder: Path) -> list[Path]:
    # Take the config of this folder
    if not folder.is_dir():
        return []
    here = [f for f in folder.glob('*.py') if not f.name.startswith('.')]
    if here:  # the newest, where several configs were run in one folder
        return [max(here, key=lambda file: file.stat().st_mtime)]
    # Look in the folders below
    return [
        file
        for child in folder.iterdir()
        if child.is_dir() and not child.is_symlink()
        for file in _config_files(child)
    ]


def _read_run(file: Path, name: str) -> RunFolder:
    # Read config and scores, without running what the config imports
    path = file.parent
    metrics = path / _METRICS
    try:
        config = read_config(file, imports=False, dumped=True)
        record = json.loads(metrics.read_text()) if metrics.is_file() else {}
    except (OSError, SyntaxError, ValueError, AttributeError) as error:
        raise UserInputError(
            f'Expected the config and the scores of a run in {path}, but '
            f'could not read them ({error}). Run it again, or leave it out.'
        ) from error
    return RunFolder(path=path, name=name, config=config, record=record)
