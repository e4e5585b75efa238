# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check one image, its annotation and its mask."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ...datasets.image_labels import read_voc_xml
from ...datasets.transforms import LoadImageStrict
from ...utils import UserInputError
from ...utils.labels import IGNORE_LABEL
from ...utils.palette_png import read_label_png
from ...utils.picture_files import open_picture, read_picture_bytes
from .findings import Finding

__all__ = ['ImageCheck', 'ImageFiles', 'check_image']

_EXIF_ORIENTATION = 0x0112
_LONGEST = 20  # greatest ratio of the sides
_FEWEST_RIMS = 3  # labels without a body, of a mask that looks blended


class ImageFiles(NamedTuple):
    """Name the files and labels that belong to an image.

    Attributes:
        image (str): Its file, which exists.
        classes (tuple[str, ...]): Foreground classes of the data set.
        seg_map (str, optional): Its mask, which exists.
        xml (str, optional): Its annotation, which exists.
        labels (tuple[str, ...], optional): From a label file.
        needs_label (bool): Whether a picture without a label is an error.
    """

    image: str
    classes: tuple[str, ...]
    seg_map: str | None = None
    xml: str | None = None
    labels: tuple[str, ...] | None = None
    needs_label: bool = False


class ImageCheck(NamedTuple):
    """Hold what the check of an image found.

    Attributes:
        findings (list[Finding]): Defects.
        size (tuple, optional): Height and width as a run sees them.
        mask_labels (tuple[int, ...]): Values in the mask.
        labels (tuple[str, ...]): Image-level labels.
        classes (tuple[str, ...]): Of the picture's data set.
    """

    findings: list[Finding]
    size: tuple[int, int] | None = None
    mask_labels: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def check_image(image: ImageFiles) -> ImageCheck:
    """Read a picture and all that belongs to it.

    Args:
        image (ImageFiles): Where it is.

    Returns:
        ImageCheck: Its defects and its statistics; no exception.
    """
    # Read the image, then its annotation, then its mask.
    findings, size = _check_photo(image.image)
    labels = image.labels
    if image.xml is not None:
        try:
            labels = read_voc_xml(image.xml, image.classes)
        except UserInputError as error:
            findings.append(Finding('annotation wrong', str(error)))
    if labels == () and image.needs_label:
        findings.append(
            Finding('image without label', image.xml or image.image)
        )
    mask_labels: tuple[int, ...] = ()
    if image.seg_map is not None:
        more, mask_labels = _check_mask(
            image.seg_map, size, len(image.classes)
        )
        findings += more
        if labels is not None and not more:
            findings += _compare(image, labels, mask_labels)
    return ImageCheck(findings, size, mask_labels, labels or (), image.classes)


def _compare(
    image: ImageFiles, labels: Sequence[str], mask_labels: Sequence[int]
) -> list[Finding]:
    """Compare the classes in a mask with the image-level labels."""
    # Name the classes that the mask shows
    shown = {
        image.classes[label - 1]
        for label in mask_labels
        if 0 < label <= len(image.classes)
    }
    if shown == set(labels):
        return []
    # Tell of what differs from the labels
    return [
        Finding(
            'mask and labels disagree',
            f'{image.seg_map}: {", ".join(sorted(shown)) or "none"}'
            f', but labelled {", ".join(sorted(labels)) or "none"}',
        )
    ]


def _check_photo(path: str) -> tuple[list[Finding], tuple[int, int] | None]:
    """Load a picture as a run does."""
    # Decode the picture by the loader of the runs
    try:
        data = read_picture_bytes(path)
        if not data:
            return [Finding('image of zero bytes', path)], None
        image = LoadImageStrict().transform({'img_path': path})['img']
    except UserInputError as error:
        return [Finding('image damaged', f'{path}: {error}')], None
    # Note what a run can read, but may surprise its user
    findings = []
    mode, orientation = _header(data, path)
    if orientation not in (0, 1):
        findings.append(
            Finding('image rotated by EXIF', f'{path} (way {orientation})')
        )
    if mode in ('1', 'L', 'LA', 'I;16'):
        findings.append(Finding('image is grey-scale', path))
    height, width = image.shape[:2]
    if max(height, width) > _LONGEST * min(height, width):
        findings.append(
            Finding('image is very long', f'{path} ({width} x {height})')
        )
    return findings, (height, width)


def _header(data: bytes, path: str) -> tuple[str, int]:
    """Read mode and EXIF orientation, of what Pillow knows."""
    try:
        with open_picture(data, path) as picture:
            orientation = picture.getexif().get(_EXIF_ORIENTATION, 1)
            return picture.mode, orientation
    except (UserInputError, OSError, SyntaxError, ValueError):
        return '', 1


def _check_mask(
    path: str, size: tuple[int, int] | None, num_classes: int
) -> tuple[list[Finding], tuple[int, ...]]:
    # Read the mask, and tell colours from damage
    try:
        labels = read_label_png(path)
    except UserInputError as error:
        colours = _colours(path)
        if colours:
            return [Finding('mask has colours', f'{path} is {colours}')], ()
        return [Finding('mask damaged', f'{path}: {error}')], ()
    # Compare it with picture and classes
    found = tuple(np.unique(labels).tolist())
    findings = []
    if size is not None and labels.shape != size:
        findings.append(
            Finding(
                'mask has another size',
                f'{path} is {labels.shape[1]} x {labels.shape[0]}, the image '
                f'{size[1]} x {size[0]}',
            )
        )
    unknown = [v for v in found if num_classes < v < IGNORE_LABEL]
    if unknown:
        what = f'{path}: {unknown[:8]}, expected up to {num_classes}'
        findings.append(Finding('mask has unknown label', what))
    # Suspect thin lines of labels, left by smooth resizing
    rims = _rims(labels, found)
    if len(rims) >= _FEWEST_RIMS:
        what = f'{path}: {rims[:8]} only in thin lines'
        findings.append(Finding('mask looks blended', what))
    return findings, found


def _colours(path: str) -> str:
    """Describe the colours of a mask; empty if it has none."""
    # Count the colours of a mask with three channels or more
    try:
        with open_picture(read_picture_bytes(path), path) as picture:
            if len(picture.getbands()) < 3:
                return ''
            count = len(picture.getcolors(maxcolors=1 << 24) or ())
            return f'{picture.mode}, {count} colours'
    except (UserInputError, OSError, SyntaxError, ValueError):
        return ''


def _rims(labels: NDArray[np.uint8], found: tuple[int, ...]) -> list[int]:
    """List labels that fill no 3 x 3 pixels, as blending leaves them."""
    square = np.ones((3, 3), np.uint8)
    return [
        value
        for value in found
        if value not in (0, IGNORE_LABEL)
        and not cv2.erode(
            (labels == value).astype(np.uint8),
            square,
            borderType=cv2.BORDER_CONSTANT,
            borderValue=0,
        ).any()
    ]
