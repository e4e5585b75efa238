# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAMs of other methods on disk: CLIP-ES, the IRN family, dicts, labels."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..utils import UserInputError
from ..utils.labels import IGNORE_LABEL
from ..utils.limits import MAX_CLASSES
from ..utils.palette_png import read_label_png
from ..utils.safe_npy import load_npy

__all__ = [
    'CAM_FORMATS',
    'CAM_KEYS',
    'CamFile',
    'CamFormat',
    'CamKeys',
    'cam_suffix',
    'have_background_key',
    'read_cams',
    'refuse_background_key',
]

CamFormat = Literal['clip_es', 'irn', 'npy', 'png']
CamKeys = Literal['classes', 'labels']
CAM_KEYS: tuple[CamKeys, ...] = ('classes', 'labels')


class CamFile(NamedTuple):
    """CAMs of one image.

    Attributes:
        cams (Tensor): As they are in the file, float32, (P, H, W).
        classes (Tensor): 0-based foreground indices, int64, (P,).
    """

    cams: Tensor
    classes: Tensor

    def resized(self, size: tuple[int, int]) -> 'CamFile':
        """Resize the CAMs to another size (height, width), bilinear."""
        # Leave maps of this size, and those of no class, alone
        if tuple(self.cams.shape[1:]) == tuple(size):
            return self
        if len(self.cams) == 0:
            return CamFile(self.cams.new_zeros(0, *size), self.classes)
        cams = F.interpolate(
            self.cams[None], size, mode='bilinear', align_corners=False
        )
        return CamFile(cams[0], self.classes)


def _checked(cams: Any, classes: Any, path: Path) -> CamFile:
    # Bring all formats to float maps and int classes
    maps = torch.as_tensor(np.asarray(cams)).float()
    keys = torch.as_tensor(np.asarray(classes)).long().flatten()
    # Refuse what is not one finite map a class
    if maps.ndim != 3 or len(maps) != len(keys):
        raise UserInputError(
            f'Expected one (height, width) map for each class in {path}, got '
            f'maps of shape {tuple(maps.shape)} and {len(keys)} classes.'
        )
    if not torch.isfinite(maps).all():
        raise UserInputError(
            f'Expected finite activations in {path}, got NaN or infinity. '
            'Make the CAMs of this image again.'
        )
    # Refuse classes that seeds of 8 bits cannot hold
    if len(keys) and (keys.min() < 0 or len(keys.unique()) < len(keys)):
        raise UserInputError(
            f'Expected different classes from 0 in {path}, got '
            f'{keys.tolist()}.'
        )
    if len(keys) and keys.max() >= MAX_CLASSES:
        raise UserInputError(
            f'Expected class indices below {MAX_CLASSES} in {path}, for seeds '
            f'have 8 bits (0 background, 255 ignored), got {keys.tolist()}. '
            'Make seeds for groups of classes.'
        )
    return CamFile(maps, keys)


def _read_keyed(path: Path, *entries: str) -> CamFile:
    """Read a dict with classes in `keys` and maps in one of `entries`."""
    # Take the first kind of CAM that the file has
    content = load_npy(path)
    found = list(content) if isinstance(content, Mapping) else []
    for entry in entries:
        if entry in found and 'keys' in found:
            return _checked(content[entry], content['keys'], path)
    # Say what was found instead
    wanted = ' or '.join(repr(entry) for entry in entries)
    raise UserInputError(
        f"Expected a dict with 'keys' and {wanted} in {path}, got "
        f'{found or type(content).__name__}. Choose another --format.'
    )


def _read_clip_es(path: Path) -> CamFile:
    return _read_keyed(path, 'attn_highres', 'highres')


def _read_irn(path: Path) -> CamFile:
    return _read_keyed(path, 'high_res', 'cam')


def _read_dict(path: Path) -> CamFile:
    # Refuse what is no dict by class
    content = load_npy(path)
    if not isinstance(content, Mapping) or not all(
        isinstance(key, int | np.integer) for key in content
    ):
        found = type(content).__name__
        if isinstance(content, Mapping):
            found = f'keys {list(content)}'
        raise UserInputError(
            f'Expected a dict of class index to map in {path}, got {found}. '
            'Choose another --format.'
        )
    # Stack the maps, all of one size
    maps = [np.asarray(value) for value in content.values()]
    shapes = {value.shape for value in maps}
    if len(shapes) > 1:
        raise UserInputError(
            f'Expected maps of one size in {path}, got {sorted(shapes)}.'
        )
    cams = np.stack(maps) if maps else np.zeros((0, 1, 1))
    return _checked(cams, list(content), path)


def _read_labels(path: Path) -> CamFile:
    labels = torch.from_numpy(read_label_png(path))
    found = labels.unique().long()
    found = found[(found > 0) & (found < IGNORE_LABEL)]
    return CamFile((labels == found[:, None, None]).float(), found - 1)


CAM_FORMATS: dict[str, Callable[[Path], CamFile]] = {
    'clip_es': _read_clip_es,
    'irn': _read_irn,
    'npy': _read_dict,
    'png': _read_labels,
}


def cam_suffix(cam_format: CamFormat) -> str:
    """Return the suffix of the files of a format."""
    return '.png' if cam_format == 'png' else '.npy'


def read_cams(
    path: str | os.PathLike[str],
    cam_format: CamFormat,
    keys: CamKeys = 'classes',
) -> CamFile:
    """Read the CAMs of one image.

    =============  ==========================================================
    ``'clip_es'``  dict ``keys``, ``attn_highres`` (or ``highres``)
    ``'irn'``      dict ``keys``, ``high_res`` (or ``cam``, at a lower
                   resolution): IRN and its many descendants
    ``'npy'``      dict of class index to map: AdvCAM, MCTformer, WeakTr
    ``'png'``      label map, 0 background, class + 1, 255 nothing; each class
                   becomes a map of zeros and ones
    =============  ==========================================================

    Args:
        path (str | PathLike): File of the image.
        cam_format (str): One of the above.
        keys (str): ``'classes'``, the keys count the classes from 0, or
            ``'labels'``, key 0 is the background and class c has c + 1, as
            PSA and IRN write their CAMs after a CRF. The background's map is
            left out then; seeders make their own. Means nothing for
            ``'png'``.

    Returns:
        CamFile: Maps (P, H, W) and 0-based classes (P,).

    Raises:
        ValueError: If the format, or ``keys``, is unknown.
        UserInputError: If the file is missing, damaged, unsafe or not of
            this format.
    """
    # Check the settings
    if cam_format not in CAM_FORMATS:
        raise ValueError(
            f'cam_format must be one of {list(CAM_FORMATS)}, got '
            f'{cam_format!r}'
        )
    if keys not in CAM_KEYS:
        raise ValueError(f'keys must be one of {CAM_KEYS}, got {keys!r}')
    # Read the file by its format
    file = CAM_FORMATS[cam_format](Path(path))
    if keys == 'classes' or cam_format == 'png':
        return file
    # Drop the background's map, and count the classes from 0
    shown = file.classes > 0
    return CamFile(file.cams[shown], file.classes[shown] - 1)


def have_background_key(keys_of_files: Iterable[Sequence[int]]) -> bool:
    """Tell whether key 0 of CAM files looks like the background's.

    So it does where it is in two files or more, in every one of them, and not
    always alone: image-level labels have no class that is in every picture.
    Stops at the first file without it.

    Args:
        keys_of_files (Iterable[Sequence[int]]): Keys of each file.
    """
    # Look for 0 among the keys of all files, beside other classes
    count, others = 0, 0
    for keys in keys_of_files:
        if 0 not in keys:
            return False
        count += 1
        others += len(keys) - 1
    return count > 1 and others > 0


def refuse_background_key(
    paths: Iterable[str | os.PathLike[str]], cam_format: CamFormat
) -> None:
    """Refuse CAM files whose key 0 looks like the background's.

    Files that cannot be read are passed over, who reads them later says why.

    Args:
        paths (Iterable[str | PathLike]): All CAM files of the run.
        cam_format (str): See :func:`read_cams`.

    Raises:
        UserInputError: See :func:`have_background_key`.
    """
    # Leave out PNGs, whose labels are known
    if cam_format == 'png':
        return
    if have_background_key(_keys_of(paths, cam_format)):
        raise UserInputError(
            'Key 0 is in every CAM file. Does it stand for the background, as '
            'in the files that PSA and IRN write after a CRF? Then say '
            '--keys labels (0 background, class + 1). If it is a class that '
            'is in every picture, say --keys classes.'
        )


def _keys_of(
    paths: Iterable[str | os.PathLike[str]], cam_format: CamFormat
) -> Iterator[list[int]]:
    # Read the classes, and leave wrong files to the seeder's report
    for path in paths:
        try:
            keys = read_cams(path, cam_format).classes.tolist()
        except UserInputError:
            continue
        yield keys
