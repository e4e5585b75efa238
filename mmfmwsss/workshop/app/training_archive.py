# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The tagged photos as one file, ready for training elsewhere."""

import os
import zipfile
from pathlib import Path

from ...utils import UserInputError, atomic_path
from .training_folder import TrainingFolder

__all__ = ['write_training_archive']

_TOP = 'my_photos'
_README = """Photos, tags, masks and seeds, as mmfmwsss's configs read them.

In a checkout of mmfmwsss, with this folder unpacked there:

    export CUSTOM_ROOT={top} CUSTOM_WORK={top}/work CUSTOM_MODELS={models}
    python tools/train.py configs/fmwsss/custom_deeplabv3plus.py
    python tools/test.py configs/fmwsss/custom_predict.py --show-dir painted

trains a network on the seeds and paints what it says. To learn prompts first,
and make better seeds with them, run before that:

    python tools/train.py configs/fmwsss/custom_prompt.py
    python tools/test.py configs/fmwsss/custom_seed.py

docs/your_own_photos.md says more. Label 0 of a seed is the background, label 1
the first class of classes.yaml.
"""


def write_training_archive(
    folder: TrainingFolder, path: str | os.PathLike[str], models: str
) -> list[str]:
    """Pack the photos that are tagged and seeded, and what belongs to them.

    Args:
        folder (TrainingFolder): Whose photos.
        path (str | PathLike): The ``.zip`` to write.
        models (str): ``'photo'`` or ``'tiny'``, the models of the configs
            that made the masks.

    Returns:
        list[str]: Names of the photos in it.

    Raises:
        UserInputError: If no photo has a seed.
    """
    names = folder.finished
    if not names:
        raise UserInputError(
            'Expected a photo with tags and a seed, got none. Choose a photo, '
            'type its tags and press "Segment".'
        )
    # Pack the files of the photos under the names that configs expect
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, 'w', zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in names:
            for file in (
                folder.image_path(name),
                folder.mask_path(name),
                folder.seed_path(name),
            ):
                archive.write(file, _below(folder, file))
        # Add the texts
        archive.write(folder.class_file, _below(folder, folder.class_file))
        table = folder.table_of(names)
        archive.writestr(_below(folder, folder.label_file), table)
        readme = _README.format(top=_TOP, models=models)
        archive.writestr(f'{_TOP}/README.txt', readme)
    return names


def _below(folder: TrainingFolder, file: Path) -> str:
    return f'{_TOP}/{file.relative_to(folder.root).as_posix()}'
