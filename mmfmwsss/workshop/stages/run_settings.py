# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Options that move a run, make it smaller, or spread it over processes."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.config import Config

__all__ = [
    'final_checkpoint',
    'launch_words',
    'moved_folders',
    'small_dataset',
    'small_training',
]

_LENGTHS = ('max_epochs', 'max_iters')
_LEAST_LENGTH = 2  # epochs or iterations that a schedule can be cut to


def moved_folders(
    config: Config, parts: Iterable[str], old: str, new: str
) -> dict[str, str]:
    """Find the options that put a config's results elsewhere.

    Args:
        config (Config): Its paths start with ``old``.
        parts (Iterable[str]): Its top-level keys that the run reads.
        old (str): Folder of the results in the config.
        new (str): Folder to use instead.

    Returns:
        dict[str, str]: Path by dotted key.
    """
    found: dict[str, str] = {}

    def search(value: Any, key: str) -> None:
        if isinstance(value, Mapping):
            for name, part in value.items():
                search(part, f'{key}.{name}')
        elif isinstance(value, list | tuple):
            for index, part in enumerate(value):
                search(part, f'{key}.{index}')
        elif isinstance(value, str) and f'{value}/'.startswith(f'{old}/'):
            found[key] = new + value.removeprefix(old)

    for part in parts:
        search(config.get(part), part)
    return found


def small_dataset(config: Config, loader: str, images: int) -> dict[str, Any]:
    """Find the options that leave a loader a data set's first images.

    A data set of seeds takes those there are: its stage before had these
    images only.

    Args:
        config (Config): Has the loader.
        loader (str): Its key.
        images (int): How many images to keep.

    Returns:
        dict[str, Any]: Value by dotted key.
    """
    # Find the data set in what repeats it
    key, dataset = f'{loader}.dataset', config[loader].dataset
    while 'dataset' in dataset:
        key, dataset = f'{key}.dataset', dataset.dataset
    # Take the first images, or the seeds that were made
    if dataset.type == 'PseudoLabelDataset':
        return {f'{key}.max_missing': 1.0}
    options: dict[str, Any] = {f'{key}.indices': images}
    # Leave out images without labels, as training does, before counting
    if dataset.type == 'ImageLabelDataset' and dataset.get('test_mode'):
        options |= {f'{key}.test_mode': False, f'{key}.drop_unlabelled': True}
    return options


def small_training(
    config: Config, schedule: float, images: int | None, of_images: int | None
) -> dict[str, Any]:
    """Find the options that shorten a training and its schedule.

    A training by iterations keeps its number of passes over the images.

    Args:
        config (Config): Of a training.
        schedule (float): Share of its length to train for.
        images (int, optional): Number of images, if not all.
        of_images (int, optional): Number of images that the schedule is for.

    Returns:
        dict[str, Any]: Value by dotted key; empty if nothing changes.
    """
    options: dict[str, Any] = {}
    # Take no more images at a time than there are
    batch = config.train_dataloader.batch_size
    small_batch = min(batch, images or batch)
    if small_batch != batch:
        options['train_dataloader.batch_size'] = small_batch
    # Keep the number of passes over the images, and shorten it
    name, length = _length(config)
    share = schedule
    if images and of_images and name == 'max_iters':
        share *= min(images / of_images, 1.0) * batch / small_batch
    # What is that short already is not made longer
    small = max(min(_LEAST_LENGTH, length), round(length * share))
    if small == length:
        return options
    options[f'train_cfg.{name}'] = small
    # Squeeze warm-up and decay likewise
    for index, scheduler in enumerate(config.get('param_scheduler') or []):
        for key, value in _squeezed(scheduler, length, small).items():
            options[f'param_scheduler.{index}.{key}'] = value
    return options


def _length(config: Config) -> tuple[str, int]:
    name = next(n for n in _LENGTHS if config.train_cfg.get(n) is not None)
    return name, config.train_cfg[name]


def _squeezed(
    scheduler: Mapping[str, Any], length: int, small: int
) -> dict[str, int]:
    """Scale a scheduler's span; what ends with the training still does."""
    share = small / length
    begin = min(int(scheduler.get('begin', 0) * share), small - 1)
    options = {'begin': begin} if 'begin' in scheduler else {}
    for key in ('end', 'T_max'):
        if key in scheduler:
            scaled = round(scheduler[key] * share)
            # mmengine wants an end after the beginning
            scaled = max(scaled, begin + _LEAST_LENGTH)
            options[key] = small if scheduler[key] == length else scaled
    return options


def final_checkpoint(config: Config, folder: str) -> str:
    """Name the checkpoint that a training writes last."""
    name, length = _length(config)
    return (
        f'{folder}/{"epoch" if name == "max_epochs" else "iter"}_{length}.pth'
    )


def launch_words(
    command: tuple[str, ...], processes: int, batch: int | None
) -> tuple[str, ...]:
    """Write a command for several processes that does the same.

    Args:
        command (tuple[str, ...]): Arguments after ``python``.
        processes (int): How many, one a GPU.
        batch (int, optional): Images of a training's batch in all, which is
            divided among the processes; as many are started as divide it.
            None for a test, which shares its images out.

    Returns:
        tuple[str, ...]: Words to run; empty where one process does it.
    """
    config, *rest = command[1:]
    # Start no more processes than share the batch evenly
    if batch is not None:
        processes = max(n for n in range(1, processes + 1) if batch % n == 0)
        option = f'train_dataloader.batch_size={batch // processes}'
        rest += (
            [option] if '--cfg-options' in rest else ['--cfg-options', option]
        )
    if processes == 1:
        return ()
    script = 'tools/dist_test.sh' if batch is None else 'tools/dist_train.sh'
    return (script, config, str(processes), *rest)
