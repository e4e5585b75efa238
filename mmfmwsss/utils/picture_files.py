# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Open pictures of an untrusted source, and tell whether they are whole."""

import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from PIL import Image, UnidentifiedImageError

from .errors import UserInputError
from .limits import (
    MAX_PICTURE_BYTES,
    MAX_PIXELS,
    check_file_bytes,
    checked_size,
)

__all__ = ['is_complete_image', 'open_picture', 'read_picture_bytes']

# Others of Pillow's start programs (EPS) or are no pictures.
_FORMATS = (
    *('BMP', 'DIB', 'GIF', 'JPEG', 'JPEG2000', 'PNG', 'PPM', 'TIFF'),
    'WEBP',
)
_JPEG_START = b'\xff\xd8'
_JPEG_END = 0xD9
_JPEG_SCAN = 0xDA
# In a scan, 0xff is followed by 0, a restart, or the end of the scan.
_END_OF_SCAN = re.compile(rb'\xff+([^\x00\xd0-\xd7\xff])', re.DOTALL)
_NEXT_MARKER = re.compile(rb'\xff+([^\x00\xff])', re.DOTALL)
_BETWEEN_SCANS = {0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FILM = re.compile(rb'\x00\x00..ftyp', re.DOTALL)
_PNG_START = b'\x89PNG\r\n\x1a\n'
_PNG_NAME = re.compile(rb'[A-Za-z]{4}')
_ISO_MEDIA = {
    b'heic': 'HEIC',
    b'heix': 'HEIC',
    b'mif1': 'HEIF',
    b'msf1': 'HEIF',
    b'avif': 'AVIF',
    b'avis': 'AVIF',
}


def is_complete_image(data: bytes) -> bool:
    """Tell whether a JPEG or PNG file has its end; more may follow it.

    OpenCV decodes a cut-off JPEG to a picture with a grey bottom, without an
    error. Phones put a film or a second picture behind the end, and files
    have thumbnails before it, so the segments are followed one by one.

    Args:
        data (bytes): Content of the file.

    Returns:
        bool: False for an empty file and for a JPEG or PNG without an end;
        True for other formats, whose decoders notice it themselves.
    """
    if data.startswith(_JPEG_START):
        return _jpeg_is_complete(data)
    if data.startswith(_PNG_START[:4]):
        return _png_is_complete(data)
    return bool(data)


def _jpeg_is_complete(data: bytes) -> bool:
    place, scan = len(_JPEG_START), -1
    while True:
        # Find the next marker, in a scan the one that ends it.
        pattern = _NEXT_MARKER if scan < 0 else _END_OF_SCAN
        found = pattern.search(data, place)
        if found is None:
            return False
        place, code = found.end(), found[1][0]
        if code == _JPEG_END:
            # A film in a scan: the end is the film's, not the picture's.
            return scan >= 0 and not _FILM.search(data, scan, place)
        # Refuse a marker that cannot stand between scans.
        if scan >= 0 and code not in _BETWEEN_SCANS:
            return False
        if code in _WITHOUT_LENGTH:
            continue
        # Step over the segment
        length = _segment_length(data, place)
        if not length:
            return False
        place += length
        if code == _JPEG_SCAN and scan < 0:
            scan = place


def _segment_length(data: bytes, place: int) -> int:
    """Read the length of a JPEG segment; 0 if it is wrong or cut off."""
    length = int.from_bytes(data[place : place + 2], 'big')
    return length if length >= 2 and place + length <= len(data) else 0


def _png_is_complete(data: bytes) -> bool:
    place = len(_PNG_START)
    while place + 12 <= len(data):
        # Read length and name of the next chunk.
        length = int.from_bytes(data[place : place + 4], 'big')
        name = data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data) or not _PNG_NAME.fullmatch(name):
            return False
        # Check the sum of chunks that decoders need.
        written = int.from_bytes(data[end - 4 : end], 'big')
        critical = name[:1].isupper()
        if critical and zlib.crc32(data[place + 4 : end - 4]) != written:
            return False
        if name == b'IEND':
            return True
        place = end
    return False


def read_picture_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read the content of a picture file.

    Raises:
        UserInputError: If it is missing, unreadable or too large.
    """
    if not os.path.isfile(path):
        raise UserInputError(
            f'Expected a picture at {path}, but it is not there. Put the file '
            'there, or take it out of the image list.'
        )
    try:
        check_file_bytes(path, MAX_PICTURE_BYTES)
        with open(path, 'rb') as file:
            return file.read()
    except OSError as error:
        raise UserInputError(
            f'Expected a picture at {path}, but could not read it '
            f'({type(error).__name__}). Put the file there, or take it out '
            'of the image list.'
        ) from error


@contextmanager
def open_picture(
    data: bytes, path: str | os.PathLike[str]
) -> Iterator[Image.Image]:
    """Open a picture with Pillow; in the block it may be loaded, too.

    Size and frames are checked from the header, before it is decoded.

    Args:
        data (bytes): Content of the file.
        path (str | PathLike): The file, for the message.

    Raises:
        UserInputError: If it is damaged, of an unknown format, animated or of
            several pages, or larger than ``MAX_PIXELS``.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_formats()) as picture:
            # Check the header before pixels are decoded.
            checked_size(picture.height, picture.width, path)
            animated = getattr(picture, 'is_animated', False)
            if animated and picture.format != 'MPO':
                raise UserInputError(
                    f'Expected one still picture in {path}, but it has '
                    'several frames or pages. Save the one that is meant.'
                )
            yield picture
    except UserInputError:
        raise
    except (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise UserInputError(
            f'Expected at most {MAX_PIXELS:,} pixels in {path}, but it has '
            f'more ({error}). Cut the picture into tiles or make it smaller, '
            'and its masks with it.'
        ) from error
    except Exception as error:  # damaged pictures raise many kinds
        # Pillow names an address in memory, where it knows no more
        unknown = isinstance(error, UnidentifiedImageError)
        reason = '' if unknown else f' ({str(error)[:120]})'
        raise UserInputError(
            f'Expected a complete picture in {path}, but its {len(data)} '
            f'bytes are {_kind(data)}{reason}. Replace the file, '
            'or take it out of the image list.'
        ) from error


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _kind(data: bytes) -> str:
    kind = _ISO_MEDIA.get(data[8:12]) if data[4:8] == b'ftyp' else None
    if kind:
        return f'{kind}, which is not read: save it as JPEG or PNG'
    return 'empty, cut off or no picture'
