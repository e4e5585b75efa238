# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Turn the steps of a pipeline into commands, and choose among them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config

from ...apis.options import merge_options, read_options
from ...utils import UserInputError, environment_set, nearby_names, read_config
from .pipeline import Pipeline, Step
from .run_settings import (
    final_checkpoint,
    launch_words,
    moved_folders,
    small_dataset,
    small_training,
)
from .stage import Stage

__all__ = ['RunSettings', 'find_missing_data', 'list_stages', 'select_stages']

_TRAIN_PARTS = ('train_dataloader', 'model')
_TEST_PARTS = ('test_dataloader', 'test_evaluator', 'model')
_MOST_DRAWN = 1000  # pictures of PartWorld's train


@dataclass(frozen=True)
class RunSettings:
    """Say where a pipeline runs, how much of it, and on how many GPUs.

    Attributes:
        out: Folder of the results; default: that of the configs.
        images: Number of images of each split; default: all.
        schedule: Share of each training's length.
        gpus: Number of processes.
    """

    out: str | None = None
    images: int | None = None
    schedule: float = 1.0
    gpus: int = 1

    @property
    def is_small(self) -> bool:
        """Tell whether its scores are to be compared with no others."""
        return self.images is not None or self.schedule != 1

    def folder(self, pipeline: Pipeline) -> str:
        """Return the folder of the results; small runs have their own."""
        if self.out is not None:
            return self.out
        suffix = '' if self.images is None else f'_{self.images}_images'
        suffix += '' if self.schedule == 1 else f'_schedule_{self.schedule:g}'
        return pipeline.work + suffix


def list_stages(
    pipeline: Pipeline, root: Path, settings: RunSettings
) -> list[Stage]:
    """List the stages of a pipeline, the report last.

    Args:
        pipeline (Pipeline): Of a data set.
        root (Path): The repository.
        settings (RunSettings): Of this run.

    Returns:
        list[Stage]: In the order of running.
    """
    maker = _StageMaker(pipeline, root, settings)
    stages = maker.data_stages()
    stages += [maker.stage(step) for step in pipeline.steps]
    return [*stages, *maker.report_stages(stages)]


def find_missing_data(
    pipeline: Pipeline, root: Path, stages: Sequence[Stage]
) -> list[str]:
    """List what a data set lacks of that which stages read.

    Args:
        pipeline (Pipeline): Of a data set.
        root (Path): The repository.
        stages (Sequence[Stage]): Those to run.

    Returns:
        list[str]: Files and folders; none where no stage reads them.

    Raises:
        UserInputError: If there is no folder of the data set at all.
    """
    needed = dict.fromkeys(path for s in stages for path in s.inputs)
    missing = [path for path in needed if not (root / path).exists()]
    if missing and not (root / pipeline.data_root).is_dir():
        raise UserInputError(
            f'Expected the data of {pipeline.title} in {pipeline.data_root}, '
            'but there is no such folder. Put them there, or name another '
            f'folder: `export {pipeline.root_variable}=...`.'
        )
    return missing


class _StageMaker:
    """Makes stages of steps, which know the trainings before them."""

    def __init__(
        self, pipeline: Pipeline, root: Path, settings: RunSettings
    ) -> None:
        self.pipeline = pipeline
        self.root = root
        self.settings = settings
        self.out = settings.folder(pipeline)
        self.environment = dict(pipeline.environment)
        # Let the configs name the folders where a variable can
        if pipeline.work_variable and self.out != pipeline.work:
            self.environment[pipeline.work_variable] = self.out
        self.data_root = pipeline.data_root
        if pipeline.make_data and settings.images is not None:
            self.data_root = f'{self.out}/data'
            self.environment[pipeline.root_variable] = self.data_root
        self.checkpoints: dict[str, str] = {}

    def data_stages(self) -> list[Stage]:
        """Draw the data set, if it is a drawn one."""
        if not self.pipeline.make_data:
            return []
        command: tuple[str, ...] = (self.pipeline.make_data, self.data_root)
        if images := self.settings.images:
            train = min(images, _MOST_DRAWN)
            command += ('--train', str(train), '--val', str(images))
        title = f'draw {self.pipeline.title}'
        return [Stage('dataset', title, command, outputs=(self.data_root,))]

    def stage(self, step: Step) -> Stage:
        """Write the command of a step."""
        pipeline = self.pipeline
        # Read the config as the settings change it
        with environment_set(self.environment):
            config = read_config(self.root / step.config)
        options = self._options(config, step)
        merge_options(config, read_options(options))
        # Choose the folder of the run
        work = self.out if pipeline.work_variable else pipeline.work
        folder = f'{work}/{step.folder}' if step.folder else config.work_dir
        folder = self.out + folder.removeprefix(work)
        # Write the command
        tool = 'tools/train.py' if step.trains else 'tools/test.py'
        command = [tool, step.config]
        if step.checkpoint_of is not None:
            command.append(self.checkpoints[step.checkpoint_of])
        if step.augmented:
            command.append('--tta')
        if folder != config.work_dir:
            command += ['--work-dir', folder]
        if options:
            command += ['--cfg-options', *options]
        if step.trains:
            self.checkpoints[step.name] = final_checkpoint(config, folder)
        # Share it out among the GPUs
        stage = Stage(
            step.name,
            step.title,
            tuple(command),
            self._needs(step),
            self.environment,
            inputs=pipeline.inputs if step.reads_data else (),
        )
        batch = config.train_dataloader.batch_size if step.trains else None
        launch = launch_words(stage.command, self.settings.gpus, batch)
        return replace(stage, launch=launch)

    def report_stages(self, stages: Sequence[Stage]) -> list[Stage]:
        """Draw the sheet of PartWorld's pictures, and write the report."""
        needs = tuple(stage.name for stage in stages)
        report = f'{self.out}/report.html'
        page = Stage(
            'report',
            'write the report',
            (
                'tools/make_report.py', self.out, '--images', '24',
                '--title', self.pipeline.title, '--out', report,
            ),
            needs,
            self.environment,
            outputs=(report,),
        )  # fmt: skip
        if 'deeplabv3plus_test' not in needs or not self.pipeline.make_data:
            return [page]
        sheet = Stage(
            'pictures',
            'draw a sheet of pictures',
            ('tools/partworld/picture_sheet.py', '--work', self.out),
            needs,
            self.environment,
            outputs=(f'{self.out}/pictures.png',),
        )
        return [sheet, page]

    def _options(self, config: Config, step: Step) -> list[str]:
        """Write the options that a step and the settings give a config."""
        merge_options(config, read_options(step.options))
        options = dict(option.split('=', 1) for option in step.options)
        found: dict[str, object] = {}
        # Move its folders
        parts = _TRAIN_PARTS if step.trains else _TEST_PARTS
        if step.augmented:
            parts = (*parts, 'tta_pipeline')
        if self.out != self.pipeline.work and not self.pipeline.work_variable:
            found |= moved_folders(config, parts, self.pipeline.work, self.out)
        # Make it smaller
        images = self.settings.images
        if images is not None and not self.pipeline.make_data:
            found |= small_dataset(config, parts[0], images)
            # mmengine validates after the last iteration
            if step.trains and config.get('val_dataloader'):
                found |= small_dataset(config, 'val_dataloader', images)
        if step.trains:
            found |= small_training(
                config,
                self.settings.schedule,
                images,
                self.pipeline.train_images,
            )
        options |= {key: str(value) for key, value in found.items()}
        return [f'{key}={value}' for key, value in options.items()]

    def _needs(self, step: Step) -> tuple[str, ...]:
        if self.pipeline.make_data and step.reads_data:
            return ('dataset', *step.needs)
        return step.needs


def select_stages(
    stages: Sequence[Stage],
    first: str | None = None,
    last: str | None = None,
    only: Sequence[str] = (),
) -> list[Stage]:
    """Choose the stages to run.

    Args:
        stages (Sequence[Stage]): All stages, in the order of running.
        first (str, optional): Name of the first one to run.
        last (str, optional): Name of the last one to run.
        only (Sequence[str]): Names of all that run; default: all between.

    Returns:
        list[Stage]: Those to run, in order.

    Raises:
        UserInputError: If a name is unknown, or nothing is left.
    """
    # Refuse names of no stage
    names = [stage.name for stage in stages]
    for name in (*filter(None, (first, last)), *only):
        if name not in names:
            raise UserInputError(
                f'Expected a stage among {", ".join(names)}, but got '
                f'{name!r}.{nearby_names(name, names)}'
            )
    # Cut the ends off, then leave what was asked for
    start = names.index(first) if first else 0
    stop = names.index(last) + 1 if last else len(names)
    chosen = [s for s in stages[start:stop] if not only or s.name in only]
    if not chosen:
        raise UserInputError(
            f'Expected a stage to run, but none is left: {first} comes after '
            f'{last}, or --only names none between. The order is '
            f'{", ".join(names)}.'
        )
    return chosen
