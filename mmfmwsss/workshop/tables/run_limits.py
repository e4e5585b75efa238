# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Shorter runs of the tables: fewer photos and steps, masks made before."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...datasets.image_lists import read_image_list
from ...utils import UserInputError, atomic_path, resolve_path
from .table_datasets import TableDataset

__all__ = ['RunLimits', 'spread_evenly']


@dataclass(frozen=True)
class RunLimits:
    """What of a data set the runs take; None is what its configs say.

    Attributes:
        images: Photos to learn from, spread evenly over the list.
        val_images: Photos to score the networks on, likewise.
        mask_dir: Folder of SAM's masks, to which missing ones are added.
        prompt_epochs: Passes over the photos of a training of prompts.
        network_iterations: Steps of a training of a network.
    """

    images: int | None = None
    val_images: int | None = None
    mask_dir: Path | None = None
    prompt_epochs: int | None = None
    network_iterations: int | None = None

    def environment(self, dataset: TableDataset, out: Path) -> dict[str, str]:
        """Give the variables that set the limits, and write the short lists.

        Args:
            dataset (TableDataset): Whose configs read the variables.
            out (Path): Folder of the lists.

        Returns:
            dict[str, str]: Value by variable; none without a limit.

        Raises:
            UserInputError: If the data set cannot be limited so.
        """
        variables = {}
        for limit, value in asdict(self).items():
            if value is None:
                continue
            # Refuse what the configs of the data set do not read
            if limit not in dataset.variables:
                option = limit.replace('_', '-')
                raise UserInputError(
                    f'Expected no --{option} for {dataset.title}, whose '
                    f'configs do not read it, but got {value}. Leave it out, '
                    'or take --dataset animals.'
                )
            # Write a list of fewer photos
            if limit in dataset.lists:
                file = out / f'{limit}_{value}.txt'
                _write_short_list(dataset.lists[limit], value, file)
                value = file
            # Name files from anywhere
            if isinstance(value, Path):
                value = os.path.abspath(value)
            variables[dataset.variables[limit]] = str(value)
        return variables


def spread_evenly(names: Sequence[str], count: int) -> list[str]:
    """Choose names at even distances, the first among them.

    Args:
        names (Sequence[str]): All.
        count (int): How many; from 1 to all.

    Raises:
        UserInputError: If there are not as many.

    Example:
        >>> spread_evenly('abcdefgh', 4)
        ['a', 'c', 'e', 'g']
    """
    if not 1 <= count <= len(names):
        raise UserInputError(
            f'Expected 1 to {len(names)} images, as many as the list has, but '
            f'got {count}. Correct the number.'
        )
    return [names[number * len(names) // count] for number in range(count)]


def _write_short_list(source: str, count: int, file: Path) -> None:
    names = read_image_list(resolve_path(source, 'Install the package anew.'))
    text = '\n'.join(spread_evenly(names, count)) + '\n'
    # Leave a list of before as it is, so that no run is taken for another
    if file.is_file() and file.read_text(encoding='utf-8') == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as path:
        path.write_text(text, encoding='utf-8')
