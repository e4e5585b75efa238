# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check seeds before a network learns from them."""

from collections.abc import Sequence

from PIL import Image

from ..utils import UserInputError
from ..utils.labels import IGNORE_LABEL
from ..utils.palette_png import read_label_png

__all__ = ['check_seed', 'refuse_no_seeds']

_COLOURS = 3  # channels
_EXIF_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)  # orientations that swap width and height
_NOT_READABLE = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
)


def refuse_no_seeds(paths: Sequence[str], remedy: str) -> None:
    """Refuse files that are no label maps; reads their first bytes only.

    Args:
        paths (Sequence[str]): Seeds, which exist.
        remedy (str): What to do; ends the message.

    Raises:
        UserInputError: If any is no picture or has colours.
    """
    # Look at the headers of all files, and name the first that is wrong
    wrong = [(path, found) for path in paths if (found := _flaw(path))]
    if wrong:
        path, found = wrong[0]
        raise UserInputError(
            f'Expected seeds of one channel, class indices, but {len(wrong)} '
            f'of {len(paths)} are not, e.g. {path} is {found}. {remedy}'
        )


def _flaw(path: str) -> str:
    # Open the header, and count the channels
    try:
        with Image.open(path) as picture:
            mode, channels = picture.mode, len(picture.getbands())
    except _NOT_READABLE as error:
        return f'not readable ({type(error).__name__})'
    return f'a picture of mode {mode}' if channels >= _COLOURS else ''


def check_seed(path: str, image: str, labels: int, remedy: str) -> None:
    """Compare a seed with the classes and with its picture.

    Args:
        path (str): Of the seed.
        image (str): Of the picture.
        labels (int): Number of labels, background included.
        remedy (str): What to do; ends the message.

    Raises:
        UserInputError: If it is not readable, has an unknown label, or is of
            another size than the upright picture.
    """
    # Look for labels that are no class
    seed = read_label_png(path)
    unknown = seed[(seed >= labels) & (seed != IGNORE_LABEL)]
    if unknown.size:
        raise UserInputError(
            f'Expected labels 0..{labels - 1} or {IGNORE_LABEL} in the seed '
            f'{path}, but it has the label {unknown.max()}. {remedy}'
        )
    # Compare the sizes: a seed of another picture does not fit
    size = _upright_size(image)
    if size is not None and seed.shape != size:
        raise UserInputError(
            f'Expected a seed of the size of {image}, {size}, but {path} is '
            f'of {seed.shape}: another picture had this name. {remedy}'
        )


def _upright_size(path: str) -> tuple[int, int] | None:
    """Read height and width; None where the loader is to refuse the file."""
    # Read the header only, with the orientation of the camera
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            orientation = picture.getexif().get(_EXIF_ORIENTATION, 1)
    except _NOT_READABLE:
        return None
    # Turn the size as the loader turns the picture
    return (width, height) if orientation in _TURNED else (height, width)
