# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The runs that measure the rows of the paper's tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..stages import Stage
from .paper_tables import PAPER_TABLES
from .table_datasets import TableDataset

__all__ = ['TableStages']

_ABLATION = 'configs/fmwsss/ablation'


_MASK_SETTINGS = ('plain', 'more_whole', 'nms_priority', 'no_filter')
_PROMPT_VARIANTS = (
    'unified_context',
    'append_name',
    'prepend_name',
    'nameless_background',
    'binary_cross_entropy',
    'cross_entropy',
)


class TableStages:
    """The runs of one data set, in the order of their needs.

    Masks and manual prompts do not depend on a seed and are run once. Folder
    of a run is ``<out>/<stage name>``.

    Args:
        dataset (TableDataset): The data set.
        out (Path): Folder of the runs, relative to the repository.
        limits (Mapping[str, str]): Variables of :class:`RunLimits`.
    """

    def __init__(
        self,
        dataset: TableDataset,
        out: Path,
        limits: Mapping[str, str] | None = None,
    ) -> None:
        self.dataset = dataset
        self.out = out
        self.limits = dict(limits or {})

    def stages(
        self, tables: Iterable[int], seeds: Sequence[int]
    ) -> list[Stage]:
        """List the stages that some tables need, each once."""
        # Find the stages that measure the rows
        wanted = {
            name
            for number in tables
            for row in PAPER_TABLES[number].rows
            for name in self.measuring(row.stage, seeds)
        }
        # List all stages there are, in the order of running
        every = [*self._shared()]
        for seed in seeds:
            every += [*self._prompts(seed), *self._networks(seed)]
        for stage in reversed(every):  # needs come before what needs them
            if stage.name in wanted:
                wanted.update(stage.needs)
        # Keep those that are wanted, directly or not
        return [stage for stage in every if stage.name in wanted]

    def measuring(self, stage: str, seeds: Sequence[int]) -> list[str]:
        """Name the stages that measure a row, one a seed."""
        # Take the prompts of the data set where they are what a row learns
        if (
            stage == 'nameless_background_test'
            and self.dataset.nameless_background
        ):
            stage = 'seeds'
        if any(stage == shared.name for shared in self._shared()):
            return [stage]
        return [f'seed{seed}/{stage}' for seed in seeds]

    def _environment(self, seed: int = 0) -> dict[str, str]:
        return dict(
            ABLATION_DATASET=self.dataset.prefix,
            ABLATION_ROOT=str(self.out),
            ABLATION_SEED=str(seed),
            ABLATION_RUN=str(self.out / f'seed{seed}'),
            ABLATION_GROUND_TRUTH=self.dataset.ground_truth_dir(),
            **self.limits,
        )

    def _command(
        self, name: str, config: str, checkpoint: str | None = None
    ) -> tuple[str, ...]:
        """Test a config; its results go to the stage's folder."""
        positional = [config] if checkpoint is None else [config, checkpoint]
        folder = str(self.out / name)
        return ('tools/test.py', *positional, '--work-dir', folder)

    def _shared(self) -> list[Stage]:
        # Draw the data set, if it is a drawn one
        prefix = self.dataset.prefix
        environment = self._environment()
        stages = []
        needs: tuple[str, ...] = ()
        if self.dataset.make:
            folder = self.dataset.make[-1:]
            stages.append(
                Stage('dataset', 'draw it', self.dataset.make, outputs=folder)
            )
            needs = ('dataset',)
        # Make the masks, by the settings of the paper
        masks = f'configs/fmwsss/{prefix}_sam_masks.py'
        stages.append(
            Stage(
                'sam_masks',
                "SAM's masks",
                self._command('sam_masks', masks),
                needs,
                environment,
                inputs=self.dataset.inputs(),
            )
        )
        if self.dataset.val_masks:
            stages.append(self._val_masks(masks))
        # Make masks by the other settings that the tables compare
        for settings in _MASK_SETTINGS:
            name = f'masks_{settings}'
            command = self._command(f'{name}_run', f'{_ABLATION}/{name}.py')
            title = f"SAM's masks, {settings.replace('_', ' ')}"
            stages.append(
                Stage(
                    name,
                    title,
                    command,
                    needs,
                    environment,
                    inputs=self.dataset.inputs(),
                )
            )
        # Make seeds from manual prompts, as CLIP-ES does
        stages.append(
            Stage(
                'clip_es',
                'seeds from manual prompts',
                self._command('clip_es', f'{_ABLATION}/clip_es.py'),
                ('sam_masks',),
                environment,
            )
        )
        return stages

    def _val_masks(self, config: str) -> Stage:
        """Make the masks of the photos that the networks are scored on."""
        options = list(self.dataset.val_masks)
        # Take the short list of these photos, if there is one
        variable = self.dataset.variables.get('val_images', '')
        if variable in self.limits:
            setting, _, _ = options[0].partition('=')
            options[0] = f'{setting}={self.limits[variable]}'
        return Stage(
            'val_masks',
            "SAM's masks of val",
            (
                *self._command('val_masks_run', config),
                '--cfg-options',
                *options,
            ),
            environment=self._environment(),
            inputs=self.dataset.inputs(),
        )

    def _prompts(self, seed: int) -> list[Stage]:
        # Settle the folders of this seed
        environment = self._environment(seed)
        here = f'seed{seed}'
        prompts = f'{here}/prompts'
        trained = str(self.out / prompts)
        # Learn the prompts, and make seeds of every kind from them
        stages = [
            self._training(seed, 'prompts', 'learn the prompts'),
            Stage(
                f'{here}/seeds',
                f'seeds of every seeder, seed {seed}',
                self._command(
                    f'{here}/seeds', f'{_ABLATION}/seeds.py', trained
                ),
                (prompts,),
                environment,
            ),
            Stage(
                f'{here}/mask_settings',
                f'seeds on other masks, seed {seed}',
                self._command(
                    f'{here}/mask_settings',
                    f'{_ABLATION}/mask_settings.py',
                    trained,
                ),
                (prompts, *(f'masks_{name}' for name in _MASK_SETTINGS)),
                environment,
            ),
        ]
        # Learn the prompts of the ablation, and make their seeds
        for variant in _PROMPT_VARIANTS:
            name, words = f'{here}/{variant}', variant.replace('_', ' ')
            stages += [
                self._training(seed, variant, f'learn prompts, {words}'),
                Stage(
                    f'{name}_test',
                    f'seeds from prompts, {words}, seed {seed}',
                    self._command(
                        f'{name}_test',
                        f'{_ABLATION}/{variant}.py',
                        str(self.out / name),
                    ),
                    (name,),
                    environment,
                ),
            ]
        return stages

    def _training(self, seed: int, config: str, title: str) -> Stage:
        name = f'seed{seed}/{config}'
        command = (
            'tools/train.py',
            f'{_ABLATION}/{config}.py',
            '--work-dir',
            str(self.out / name),
        )
        return Stage(
            name,
            f'{title}, seed {seed}',
            command,
            ('sam_masks',),
            self._environment(seed),
        )

    def _networks(self, seed: int) -> list[Stage]:
        stages = []
        # Train each network on the seeds
        for network, config in self.dataset.networks.items():
            environment = self._environment(seed)
            environment['ABLATION_NETWORK'] = config
            name = f'seed{seed}/{network}'
            folder = str(self.out / name)
            network_config = f'{_ABLATION}/network.py'
            stages.append(
                Stage(
                    name,
                    f'train {network}, seed {seed}',
                    ('tools/train.py', network_config, '--work-dir', folder),
                    (f'seed{seed}/seeds',),
                    environment,
                )
            )
            # Test it plain, with a dense CRF and with SAMS
            for suffix in ('test', 'crf', 'sams'):
                refined = '' if suffix == 'test' else f'_{suffix}'
                with_masks = suffix == 'sams' and self.dataset.val_masks
                stages.append(
                    Stage(
                        f'{name}_{suffix}',
                        f'test {network}{refined.replace("_", " + ")}, '
                        f'seed {seed}',
                        self._command(
                            f'{name}_{suffix}',
                            f'{_ABLATION}/network{refined}.py',
                            folder,
                        ),
                        (name, *(['val_masks'] if with_masks else [])),
                        environment,
                    )
                )
        return stages
