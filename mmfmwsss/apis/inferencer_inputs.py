# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos as a user holds them, with their tags and masks, one by one."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageOps
from torch import Tensor

from ..datasets.image_files import IMAGE_SUFFIXES
from ..models.masks import read_masks
from ..structures import SAMMasks
from ..structures.mask_records import MaskInput
from ..utils import UserInputError
from ..utils.photos import read_rgb
from .photo_seed import Image
from .prompt_seeder import PhotoInput
from .seed_result import SeedFailure

__all__ = [
    'ChannelOrder',
    'Photo',
    'ReadInput',
    'are_several',
    'check_names',
    'list_photos',
    'masks_of',
    'name_photos',
    'open_masks',
    'read_input',
    'read_photo',
    'tags_of',
]

FilePath: TypeAlias = str | os.PathLike[str]
Photo: TypeAlias = FilePath | NDArray[Any] | PILImage.Image
ChannelOrder = Literal['bgr', 'rgb']
# Name, path if there is one, and the photo or what is wrong with it.
ReadInput: TypeAlias = tuple[str, str | None, PhotoInput | SeedFailure]


def list_photos(inputs: Photo | Iterable[Photo]) -> list[Photo]:
    """List photos one by one; a folder stands for the photos in it.

    Args:
        inputs (Photo | Iterable[Photo]): Path of a photo or a folder, array,
            PIL image, or several of these.

    Returns:
        list: Paths, arrays and PIL images, those of a folder by name.

    Raises:
        UserInputError: If there is none, or a folder has none.
    """
    several: Any = inputs
    if not isinstance(inputs, list | tuple | Iterator):
        several = [inputs]
    found: list[Photo] = []
    for photo in several:
        if isinstance(photo, list | tuple) or not are_several(photo):
            found.append(photo)
            continue
        # List the photos of a folder, but not those below it
        inside = sorted(
            path
            for path in Path(photo).iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES
        )
        if not inside:
            raise UserInputError(
                f'Expected photos ({", ".join(IMAGE_SUFFIXES)}) in the folder '
                f'{photo}, but it has none.'
            )
        found.extend(inside)
    if not found:
        raise UserInputError('Expected a photo, but got none.')
    return found


def are_several(inputs: Any) -> bool:
    """Tell a list, a folder, or what can be listed, from one photo."""
    is_path = isinstance(inputs, str | os.PathLike)
    return isinstance(inputs, list | tuple | Iterator) or (
        is_path and os.path.isdir(inputs)
    )


def name_photos(photos: Sequence[Photo]) -> list[str]:
    """Name photos after their files, others by their place: ``00000003``."""
    names = []
    for number, photo in enumerate(photos):
        file = photo
        if isinstance(photo, PILImage.Image):
            file = getattr(photo, 'filename', '')
        is_file = isinstance(file, str | os.PathLike) and bool(str(file))
        names.append(Path(str(file)).stem if is_file else f'{number:08d}')
    return names


def check_names(names: Iterable[str]) -> None:
    """Refuse photos whose results would overwrite each other.

    Raises:
        UserInputError: If two have one name.
    """
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise UserInputError(
            'Expected photos of different names, for results are named after '
            f'them, but several are called {twice[0]!r}. Rename one, or give '
            'them one after the other, with different folders for results.'
        )


def read_photo(photo: Photo, channel_order: ChannelOrder = 'bgr') -> Image:
    """Read a photo, whatever holds it.

    Args:
        photo (Photo): Path, PIL image, or array, uint8, (H, W, 3) or, of a
            grey photo, (H, W).
        channel_order (str): Of the colours of arrays: ``'bgr'``, as OpenCV,
            mmcv and mmseg's inferencer have them, or ``'rgb'``.

    Returns:
        ndarray: RGB, uint8, (H, W, 3).

    Raises:
        UserInputError: If it cannot be read, or is another array.
    """
    if channel_order not in ('bgr', 'rgb'):
        raise UserInputError(
            f"Expected `channel_order` to be 'bgr' or 'rgb', but got "
            f'{channel_order!r}.'
        )
    if isinstance(photo, str | os.PathLike):
        return read_rgb(photo)
    # Turn a picture of Pillow as its camera noted
    if isinstance(photo, PILImage.Image):
        upright = ImageOps.exif_transpose(photo).convert('RGB')
        return np.asarray(upright).copy()
    # Take an array of colours, or of grey
    shape: tuple[int, ...] = getattr(photo, 'shape', ())
    dtype = getattr(photo, 'dtype', None)
    grey = len(shape) == 2
    fits = grey or (len(shape) == 3 and shape[2] == 3)
    if not isinstance(photo, np.ndarray) or dtype != np.uint8 or not fits:
        kind = type(photo).__name__
        kind += '' if dtype is None else f' of {dtype}, {tuple(shape)}'
        raise UserInputError(
            'Expected a photo as a path, a PIL image or an array, uint8, '
            f'(H, W, 3), but got a {kind}.'
        )
    if grey:
        return np.ascontiguousarray(np.dstack([photo] * 3))
    step = 1 if channel_order == 'rgb' else -1
    return np.ascontiguousarray(photo[..., ::step])


def tags_of(
    tags: Sequence[Any] | Mapping[str, Sequence[str]] | None,
    names: Sequence[str],
) -> list[Sequence[str] | None]:
    """Give each photo its tags.

    Args:
        tags (Sequence | Mapping, optional): A list of names for all photos; a
            list of such lists, one a photo, or None; or such lists by the
            names of photos. None: for no photo.
        names (Sequence[str]): Of the N photos.

    Returns:
        list: Of each photo; None where it is to be named.

    Raises:
        UserInputError: If they are none of these, or do not fit the photos.
    """
    if tags is None:
        return [None] * len(names)
    if isinstance(tags, Mapping):
        return _by_name(tags, names, 'tags')
    if _are_names(tags):
        return [tags] * len(names)
    if isinstance(tags, list | tuple) and any(
        each is None or _are_names(each) for each in tags
    ):
        return _one_each(tags, names, 'tags')
    raise UserInputError(
        "Expected `tags` to be a list of names such as ['cat', 'sofa'], or "
        f'such a list, or None, for each photo, but got {tags!r}.'
    )


def _are_names(tags: Any) -> bool:
    are_listed = isinstance(tags, list | tuple) and len(tags) > 0
    return are_listed and all(isinstance(tag, str) for tag in tags)


def masks_of(masks: Any, names: Sequence[str]) -> list[Any]:
    """Give each photo its masks, which :func:`open_masks` reads later.

    Args:
        masks (Any): Masks of the one photo in any form that
            :func:`as_sam_masks` takes, or their file; a list of these, one a
            photo; these by the names of photos; or a folder with
            ``<name>.json`` of each. None: to be made.
        names (Sequence[str]): Of the N photos.

    Returns:
        list: Of each photo.

    Raises:
        UserInputError: If they do not fit the photos.
    """
    if masks is None:
        return [None] * len(names)
    # Look into a folder of mask files
    if isinstance(masks, str | os.PathLike):
        folder = Path(masks)
        if folder.is_dir() and not (folder / 'metadata.csv').is_file():
            return [folder / f'{name}.json' for name in names]
        return _one_each([masks], names, 'masks')
    if isinstance(masks, Mapping):
        return _by_name(masks, names, 'masks')
    # Take masks of one photo as they are, also a list of them
    single = isinstance(masks, SAMMasks | Tensor | np.ndarray)
    if len(names) == 1 and not single:
        single = all(map(_is_mask, masks))
    return _one_each([masks] if single else masks, names, 'masks')


def read_input(
    channel_order: ChannelOrder,
    name: str,
    photo: Photo,
    tags: Sequence[str] | None,
    masks: Any,
) -> ReadInput:
    """Read a photo and its masks, or say why they cannot be read.

    Args:
        channel_order (str): See :func:`read_photo`.
        name (str): Of the photo.
        photo (Photo): The photo.
        tags (Sequence[str], optional): See :func:`tags_of`.
        masks (Any): See :func:`masks_of`.

    Returns:
        ReadInput: Name, path, and the photo or what is wrong with it.
    """
    path = str(photo) if isinstance(photo, str | os.PathLike) else None
    try:
        image = read_photo(photo, channel_order)
        size = (image.shape[0], image.shape[1])
        return name, path, PhotoInput(image, tags, open_masks(masks, size))
    except UserInputError as error:
        return name, path, SeedFailure(name, str(error))


def open_masks(masks: Any, size: tuple[int, int]) -> MaskInput | None:
    """Read the masks of a photo from their file, or take them as they are."""
    if isinstance(masks, str | os.PathLike):
        return read_masks(masks, size)
    found: MaskInput | None = masks
    return found


def _is_mask(value: Any) -> bool:
    """Tell a record or a map (H, W) from the masks of a photo."""
    return isinstance(value, Mapping) or getattr(value, 'ndim', 0) == 2


def _one_each(
    values: Sequence[Any], names: Sequence[str], what: str
) -> list[Any]:
    if len(values) != len(names):
        raise UserInputError(
            f'Expected `{what}` of each of {len(names)} photos, but got '
            f'{len(values)}. Give a list, or a dict by the names of the '
            f'photos, such as {names[0]!r}.'
        )
    return list(values)


def _by_name(
    values: Mapping[str, Any], names: Sequence[str], what: str
) -> list[Any]:
    """Look up the values of photos; a name may have its suffix."""
    bare = {Path(name).stem: value for name, value in values.items()}
    if strange := sorted(bare.keys() - set(names)):
        raise UserInputError(
            f'Expected `{what}` by the names of the photos, such as '
            f'{names[0]!r}, but got {strange[0]!r}, which is none of them.'
        )
    return [bare.get(name) for name in names]
