# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stand-ins that a pickle may fill in, and the arrays made of them."""

import math
import re
from collections.abc import Callable
from pickle import UnpicklingError
from reprlib import repr as short
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    'PickledArray',
    'PickledDtype',
    'PickledName',
    'array_of',
    'frombuffer',
    'plain_dtype',
    'scalar',
    'storage',
    'tensor',
]

_PLAIN = re.compile(
    r'[<>=|]?(\?|b1|[iu][1248]|f[248]|c8|c16|[SU][1-9][0-9]{0,5})'
)
_MAX_AXES = 32
_MAX_CODE_POINT = 0x10FFFF
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_STORAGE_DTYPES = {
    'FloatStorage': torch.float32,
    'DoubleStorage': torch.float64,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
}


class PickledName(NamedTuple):
    """A global name that a pickle asked for; never looked up."""

    module: str
    name: str


class _Storage(NamedTuple):
    """The numbers of a tensor."""

    dtype: torch.dtype
    content: bytes


def plain_dtype(text: object) -> 'np.dtype[Any]':
    """Make a type of numbers, truth values or texts of a fixed length.

    Raises:
        UnpicklingError: If it is another type: of objects, with fields...
    """
    if not isinstance(text, str) or not _PLAIN.fullmatch(text):
        raise UnpicklingError(f'a dtype {short(text)} is not allowed')
    return np.dtype(text)


class PickledDtype:
    """A dtype as pickles write it: a text, then a state of nine parts."""

    __slots__ = ('_dtype', '_text')

    def __init__(self, text: object, *flags: object) -> None:
        self._text = text
        objects = text in ('O', 'O8', 'O4')
        self._dtype = None if objects else plain_dtype(text)

    @property
    def is_object(self) -> bool:
        """Tell whether it holds Python objects."""
        return self._dtype is None

    @property
    def dtype(self) -> 'np.dtype[Any]':
        """The type of numbers.

        Raises:
            UnpicklingError: If it is that of objects.
        """
        if self._dtype is None:
            raise UnpicklingError('a dtype of objects is not allowed here')
        return self._dtype

    def build(self, state: Any) -> None:
        """Take the byte order; refuse what makes it another type.

        Raises:
            UnpicklingError: If there are fields, sub-arrays or metadata, or
                the length is not that of the text.
        """
        _, order, *special, length, _, _ = state[:8]
        # Flags are numpy's own affair: it knows them from the text.
        if any(part is not None for part in (*special, *state[8:])):
            raise UnpicklingError('a dtype with fields is not allowed')
        if order not in ('<', '>', '=', '|', b'<', b'>', b'=', b'|'):
            raise UnpicklingError(
                f'a byte order {short(order)} is not allowed'
            )
        if self._dtype is None:
            return
        # See that the length is the text's, and take the byte order.
        if length not in (-1, self._dtype.itemsize):
            raise UnpicklingError(
                f'{self._text} has a length of {short(length)}'
            )
        mark = order if isinstance(order, str) else order.decode()
        if mark in '<>':
            self._dtype = self._dtype.newbyteorder('<' if mark == '<' else '>')


def _shape_of(shape: Any) -> tuple[int, ...]:
    axes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if len(axes) > _MAX_AXES or any(type(n) is not int or n < 0 for n in axes):
        raise UnpicklingError(f'a shape {short(shape)} is not allowed')
    return axes


def array_of(
    content: Any, dtype: 'np.dtype[Any]', shape: Any, fortran: bool
) -> NDArray[Any]:
    """Make an array of a checked type and shape from exactly its bytes.

    Raises:
        UnpicklingError: If the bytes are more or fewer, or are no text.
    """
    if isinstance(content, str):  # the bytes of Python 2
        content = content.encode('latin1')
    # See that there are as many bytes as type and shape need.
    axes = _shape_of(shape)
    expected = math.prod(axes) * dtype.itemsize
    if not isinstance(content, bytes | bytearray) or len(content) != expected:
        raise UnpicklingError(
            f'expected {expected} bytes for {dtype} of shape {axes}'
        )
    # Read truth values and texts with care, numbers as they are.
    if dtype.kind == 'b':  # any byte but 0 is true
        flat = np.frombuffer(content, np.uint8) != 0
    else:
        flat = np.frombuffer(content, dtype)
    if dtype.kind == 'U':
        codes = flat.view(np.dtype('u4').newbyteorder(dtype.byteorder))
        if codes.max(initial=0) > _MAX_CODE_POINT:
            raise UnpicklingError('a text has characters that do not exist')
    return flat.reshape(axes, order='F' if fortran else 'C').copy('K')


class PickledArray:
    """An array whose pickle gives the content after making it."""

    __slots__ = ('_array', '_objects')

    def __init__(self) -> None:
        self._array: NDArray[Any] | None = None
        self._objects: tuple[tuple[int, ...], list[Any]] | None = None

    def build(self, state: Any) -> None:
        """Take the content: numbers as bytes, objects as a list.

        Raises:
            UnpicklingError: If they do not fit the shape.
        """
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, PickledDtype):
            raise UnpicklingError('an array without a dtype is not allowed')
        # Take numbers at once.
        if not dtype.is_object:
            self._array = array_of(content, dtype.dtype, shape, bool(fortran))
            return
        # Keep objects until all of them are read.
        axes = _shape_of(shape)
        if type(content) is not list or len(content) != math.prod(axes):
            raise UnpicklingError('objects do not fit the shape')
        self._objects = axes, content

    def unpacked(self, unpack: Callable[[Any], Any]) -> NDArray[Any]:
        """Give the array, its objects unpacked.

        Raises:
            UnpicklingError: If it has no content.
        """
        if self._array is not None:
            return self._array
        if self._objects is None:
            raise UnpicklingError('an array without content is not allowed')
        shape, items = self._objects
        # Put in one by one: numpy would take lists for more axes.
        flat = np.empty(len(items), object)
        for place, item in enumerate(items):
            flat[place] = unpack(item)
        return flat.reshape(shape)


def frombuffer(
    content: Any, dtype: Any, shape: Any, order: Any, axes: Any = None
) -> NDArray[Any]:
    """Make an array as protocol 5 has it.

    Raises:
        UnpicklingError: If the parts do not fit together.
    """
    if not isinstance(dtype, PickledDtype) or axes is not None:
        raise UnpicklingError('an array with other parts is not allowed')
    return array_of(content, dtype.dtype, shape, order == 'F')


def scalar(dtype: Any, content: Any) -> Any:
    """Make one number of numpy.

    Raises:
        UnpicklingError: If the parts do not fit together.
    """
    if not isinstance(dtype, PickledDtype):
        raise UnpicklingError('a number without a dtype is not allowed')
    return array_of(content, dtype.dtype, (), False)[()]


def storage(content: bytes, run_next: Callable[[], Any]) -> Any:
    """Read numbers of a tensor, as torch puts them into a pickle.

    That is a file of five small pickles, a count of eight bytes, and the
    numbers.

    Args:
        content (bytes): The file.
        run_next (Callable): Builds the object of its next pickle.

    Raises:
        UnpicklingError: If it is anything else.
    """
    # Check version and byte order.
    if (run_next(), run_next()) != (_LEGACY_MAGIC, _LEGACY_PROTOCOL):
        raise UnpicklingError('a tensor of another version is not allowed')
    if not run_next().get('little_endian', False):
        raise UnpicklingError('a tensor of another machine is not allowed')
    # Read type and count
    _, (role, kind, key, _, count, *_) = run_next()
    dtype = _STORAGE_DTYPES.get(getattr(kind, 'name', ''))
    if dtype is None or role != 'storage' or run_next() != [key]:
        raise UnpicklingError('a tensor of another kind is not allowed')
    if type(count) is not int or count < 0:
        raise UnpicklingError('a tensor has no count')
    return _Storage(dtype, _last_numbers(content, count, dtype))


def _last_numbers(content: bytes, count: int, dtype: torch.dtype) -> bytes:
    """Cut the numbers off the end of a file, and check the count before."""
    length = count * torch.empty(0, dtype=dtype).element_size()
    numbers = content[len(content) - length :] if length else b''
    # Compare with the count, in the eight bytes before them.
    start = len(content) - length - 8
    written = content[start : start + 8] if start >= 0 else b''
    if int.from_bytes(written, 'little') != count or len(numbers) != length:
        raise UnpicklingError('a tensor is cut off')
    return numbers


def tensor(
    numbers: Any, offset: Any, size: Any, stride: Any, *unused: Any
) -> Tensor:
    """Make a tensor of a storage, its own copy.

    Raises:
        UnpicklingError: If it needs more numbers than there are.
    """
    if not isinstance(numbers, _Storage):
        raise UnpicklingError('a tensor without numbers is not allowed')
    # Find how many numbers there are, and the last that is needed.
    shape, steps = _shape_of(size), _shape_of(stride)
    (first,) = _shape_of(offset)
    width = torch.empty(0, dtype=numbers.dtype).element_size()
    count = len(numbers.content) // width
    if math.prod(shape) == 0:
        return torch.empty(shape, dtype=numbers.dtype)
    last = first + sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    if last >= count or math.prod(shape) > count:
        raise UnpicklingError('a tensor needs more numbers than there are')
    # View the bytes as numbers, in the shape.
    raw = torch.frombuffer(bytearray(numbers.content), dtype=torch.uint8)
    truth = numbers.dtype is torch.bool  # any byte but 0
    flat = raw != 0 if truth else raw.view(numbers.dtype)
    return flat.as_strided(shape, steps, first).clone()
