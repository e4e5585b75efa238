# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Describe the steps that all data sets share, from masks to a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...utils import UserInputError
from .expected_scores import EXPECTED, Score

__all__ = [
    'NETWORKS',
    'NetworkNames',
    'Pipeline',
    'Step',
    'config_path',
    'first_steps',
    'network_scores',
    'network_steps',
]

_CONFIGS = 'configs/fmwsss'
NETWORKS = {'deeplabv3plus': 'DeepLabV3+', 'mask2former': 'Mask2Former'}


@dataclass(frozen=True)
class Step:
    """Describe one run of tools/train.py or tools/test.py.

    Attributes:
        name: Names the stage.
        title: What it does, for people.
        config: Its config.
        trains: Whether it is a training.
        needs: Steps it reads from.
        checkpoint_of: The training whose last checkpoint it tests.
        folder: Folder of its logs and scores below that of the pipeline;
            default: the config's.
        options: KEY=VALUE texts that change the config.
        augmented: Whether it tests several scales and mirror images.
        reads_data: Whether it reads the photos before any other step.
    """

    name: str
    title: str
    config: str
    trains: bool = False
    needs: tuple[str, ...] = ()
    checkpoint_of: str | None = None
    folder: str | None = None
    options: tuple[str, ...] = ()
    augmented: bool = False
    reads_data: bool = False


@dataclass(frozen=True)
class Pipeline:
    """Describe the way of one data set.

    Attributes:
        name: Of the data set, as on the command line.
        title: Its name for people.
        work: Folder of the results in its configs.
        steps: In the order of running.
        scores: Rows of the summary.
        train_images: Number of photos its schedules were made for; None
            where they count epochs.
        inputs: Files and folders it reads and does not make.
        data_root: Folder of the data set.
        root_variable: Environment variable for another one.
        work_variable: Environment variable of ``work``, if there is one.
        make_data: Tool that makes the data set, if one can.
        environment: Variables that its configs read, chosen for the user.
    """

    name: str
    title: str
    work: str
    steps: tuple[Step, ...]
    scores: tuple[Score, ...] = ()
    train_images: int | None = None
    inputs: tuple[str, ...] = ()
    data_root: str = ''
    root_variable: str = ''
    work_variable: str = ''
    make_data: str = ''
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkNames:
    """Collect what tells a data set's configs from the others'."""

    prefix: str
    networks: Mapping[str, str] = field(default_factory=dict)
    val_masks: str = ''  # option for masks of the photos that are scored
    augmented: tuple[str, ...] = ()  # networks that the paper tests so
    suffix: str = ''  # of the network's folders
    seeds: str = ''  # option for seeds other than the config's


def config_path(name: str) -> str:
    """Name the file of a config."""
    return f'{_CONFIGS}/{name}.py'


def first_steps(prefix: str, truth: Path | None = None) -> list[Step]:
    """List masks, prompts and seeds, scored if the ground truth is there."""
    scored = truth is not None and truth.is_dir()
    return [
        Step(
            'sam_masks',
            'masks of SAM',
            config_path(f'{prefix}_sam_masks'),
            reads_data=True,
        ),
        Step(
            'prompt',
            'learn the prompts',
            config_path(f'{prefix}_prompt'),
            trains=True,
            needs=('sam_masks',),
        ),
        Step(
            'seed',
            'seeds from the learnt prompts',
            config_path(f'{prefix}_{"seed_scored" if scored else "seed"}'),
            needs=('prompt',),
            checkpoint_of='prompt',
        ),
    ]


def network_steps(
    root: Path, names: NetworkNames, network: str, seed: str = 'seed'
) -> list[Step]:
    """List training and tests of a network.

    Raises:
        UserInputError: If the data set has no config of it.
    """
    # Find the config of the network
    if network not in names.networks:
        raise UserInputError(
            f'Expected --network to be one of {", ".join(names.networks)} '
            f'for this data set, but got {network!r}. There is no '
            f'{config_path(f"{names.prefix}_{network}")}.'
        )
    config, title = names.networks[network], NETWORKS[network]
    name = f'{network}{names.suffix}'
    augmented = network in names.augmented
    # Train it, and test it plain
    steps = [
        Step(
            name,
            f'train {title} on the seeds',
            config_path(config),
            trains=True,
            needs=(seed,),
            folder=name if names.suffix else None,
            options=(names.seeds,) if names.seeds else (),
        ),
        Step(
            f'{name}_test',
            f'test {title}',
            config_path(config),
            needs=(name,),
            checkpoint_of=name,
            folder=f'{name}_test',
            augmented=augmented,
        ),
    ]
    # Test it with SAMS, which takes masks of the photos it is scored on
    if not (root / config_path(f'{config}_sams')).is_file():
        return steps
    masks = 'sam_masks'
    if names.val_masks:
        masks = 'sam_masks_val'
        steps.append(
            Step(
                masks,
                'masks of SAM, of the photos to test on',
                config_path(f'{names.prefix}_sam_masks'),
                folder='sam_masks_val_run',
                options=(names.val_masks,),
                reads_data=True,
            )
        )
    steps.append(
        Step(
            f'{name}_sams',
            f'test {title} with SAMS',
            config_path(f'{config}_sams'),
            needs=(name, masks),
            checkpoint_of=name,
            folder=f'{name}_sams' if names.suffix else None,
            augmented=augmented,
        )
    )
    return steps


def network_scores(
    data: str, network: str, metric: str, suffix: str = ''
) -> list[Score]:
    """List the rows of a network in the summary, plain and with SAMS."""
    name, title = f'{network}{suffix}', NETWORKS[network]
    rows = [
        ('segmentor', f'{name}_test', f'{title} trained on the fine seeds'),
        ('segmentor_sams', f'{name}_sams', f'{title} with SAMS'),
    ]
    return [
        Score(key, stage, metric, text, *EXPECTED.get((data, stage), ()))
        for key, stage, text in rows
    ]
