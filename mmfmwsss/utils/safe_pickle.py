# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A pickle machine for numbers, texts and arrays; it calls nothing else.

Python's own unpickler believes what it reads: it takes memory for what a
length says, hands the state of a dtype to numpy, and hashes any key. Here
every instruction is our own, and arrays are made of a checked type, a checked
shape and as many bytes as the two need.
"""

import io
import pickletools
from collections.abc import Callable
from pickle import UnpicklingError
from reprlib import repr as short
from typing import Any, BinaryIO

import numpy as np

from .pickled_arrays import (
    PickledArray,
    PickledDtype,
    PickledName,
    frombuffer,
    scalar,
    tensor,
)
from .pickled_arrays import storage as make_storage

__all__ = ['run_pickle']

_MAX_INSTRUCTIONS = 1_000_000
_MAX_VALUES = 1_000_000
_MAX_DEPTH = 32
_MARK = object()
_PUSHED = {  # the value is in the instruction
    *('INT', 'BININT', 'BININT1', 'BININT2', 'LONG', 'LONG1', 'LONG4'),
    *('FLOAT', 'BINFLOAT', 'STRING', 'BINSTRING', 'SHORT_BINSTRING'),
    *('BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8', 'BYTEARRAY8'),
    *('UNICODE', 'SHORT_BINUNICODE', 'BINUNICODE', 'BINUNICODE8'),
}
_CONSTANTS = {'NONE': None, 'NEWTRUE': True, 'NEWFALSE': False}
_IGNORED = {'PROTO', 'FRAME'}
_TUPLES = {'EMPTY_TUPLE': 0, 'TUPLE1': 1, 'TUPLE2': 2, 'TUPLE3': 3}
_KEYS = (int, float, str, bytes, np.generic, type(None))


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """Stand in for what the protocols of Python 2 write for bytes."""
    if encoding.replace('-', '') not in ('latin1', 'iso88591'):
        raise UnpicklingError(f'encoding {short(encoding)} is not allowed')
    return text.encode('latin1')


def _reconstruct(kind: Any, shape: Any, code: Any) -> PickledArray:
    if kind != PickledName('numpy', 'ndarray'):
        raise UnpicklingError(f'an array of {short(kind)} is not allowed')
    return PickledArray()


def _ordered_dict() -> dict[Any, Any]:
    return {}  # items would come with keys that nobody checked


def _storage(content: bytes) -> Any:
    return make_storage(content, _Machine(io.BytesIO(content)).run_next)


# numpy 2 moved its internals; files of either version must load in both
_CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ('numpy', 'dtype'): PickledDtype,
    ('_codecs', 'encode'): _encode,
    ('collections', 'OrderedDict'): _ordered_dict,
    ('torch._utils', '_rebuild_tensor_v2'): tensor,
    ('torch.storage', '_load_from_bytes'): _storage,
    **{
        (f'{home}.{module}', name): call
        for home in ('numpy.core', 'numpy._core')
        for module, name, call in (
            ('multiarray', '_reconstruct', _reconstruct),
            ('multiarray', 'scalar', scalar),
            ('numeric', '_frombuffer', frombuffer),
        )
    },
}
_NAMES = {('numpy', 'ndarray'), *_CALLS}


class _Machine:
    """Runs the instructions of a pickle, one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run_next(self) -> Any:
        """Build the object of the next pickle of the file."""
        # Run instructions on an empty stack, up to the end.
        self.stack, self.marks, self.memo = [], [], {}
        for count, (code, arg, _) in enumerate(pickletools.genops(self.file)):
            if count > _MAX_INSTRUCTIONS:
                raise UnpicklingError('it has too many instructions')
            if code.name == 'STOP':
                return self.stack.pop()
            self._step(code.name, arg)
        raise UnpicklingError('it has no end')

    def _step(self, name: str, arg: Any) -> None:
        # Push a value, a constant or a tuple; hand on the rest.
        if name in _PUSHED:
            self.stack.append(arg)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            count = len(self.stack) - _TUPLES[name]
            self._put(tuple(self._cut(count)))
        elif name not in _IGNORED:
            handler = _HANDLERS.get(name)
            if handler is None:
                raise UnpicklingError(f'instruction {name} is not allowed')
            handler(self, arg)

    def _put(self, value: Any) -> None:
        self.stack.append(value)

    def _cut(self, start: int) -> list[Any]:
        """Take all above a place from the stack, but nothing below a mark."""
        if start < (self.marks[-1] if self.marks else 0):
            raise UnpicklingError('its stack is empty')
        found = self.stack[start:]
        del self.stack[start:]
        return found

    def _cut_mark(self) -> list[Any]:
        found = self._cut(self.marks[-1])
        self.marks.pop()
        return found

    def mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def memoize(self, place: Any) -> None:
        self.memo[len(self.memo) if place is None else place] = self.stack[-1]

    def get(self, place: int) -> None:
        self._put(self.memo[place])

    def look_up(self, names: Any) -> None:
        # Take module and name from the stack or the instruction.
        if names is None:
            names = self._cut(len(self.stack) - 2)
        else:
            names = names.split(' ', 1)
        module, name = names
        if not isinstance(module, str) or not isinstance(name, str):
            raise UnpicklingError('a name is no text')
        # Keep the name, if it is a known one; import nothing.
        storage = module == 'torch' and name.endswith('Storage')
        if not storage and (module, name) not in _NAMES:
            raise UnpicklingError(
                f'it asks for {module}.{name}, which is not allowed'
            )
        self._put(PickledName(module, name))

    def reduce(self, _: Any) -> None:
        name, arguments = self._cut(len(self.stack) - 2)
        if not isinstance(name, PickledName) or name not in _CALLS:
            raise UnpicklingError(f'a call of {short(name)} is not allowed')
        self._put(_CALLS[name](*arguments))

    def build(self, _: Any) -> None:
        (state,) = self._cut(len(self.stack) - 1)
        target = self.stack[-1]
        if not isinstance(target, PickledArray | PickledDtype):
            raise UnpicklingError('the state of an object is not allowed')
        target.build(state)

    def persistent(self, _: Any) -> None:
        self._put(('persistent', *self._cut(len(self.stack) - 1)))

    def new_list(self, _: Any) -> None:
        self._put([])

    def new_dict(self, _: Any) -> None:
        self._put({})

    def marked_list(self, _: Any) -> None:
        self._put(self._cut_mark())

    def marked_tuple(self, _: Any) -> None:
        self._put(tuple(self._cut_mark()))

    def marked_dict(self, _: Any) -> None:
        items = self._cut_mark()
        self._put({})
        self._set(items)

    def append(self, _: Any) -> None:
        self._extend(self._cut(len(self.stack) - 1))

    def appends(self, _: Any) -> None:
        self._extend(self._cut_mark())

    def set_item(self, _: Any) -> None:
        self._set(self._cut(len(self.stack) - 2))

    def set_items(self, _: Any) -> None:
        self._set(self._cut_mark())

    def _extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise UnpicklingError('entries of something that is no list')
        self.stack[-1].extend(items)

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise UnpicklingError('items of something that is no dict')
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, _KEYS):
                raise UnpicklingError('a key is no number or text')
            target[key] = value


_HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    'MARK': _Machine.mark,
    **dict.fromkeys(
        ('PUT', 'BINPUT', 'LONG_BINPUT', 'MEMOIZE'), _Machine.memoize
    ),
    **dict.fromkeys(('GET', 'BINGET', 'LONG_BINGET'), _Machine.get),
    **dict.fromkeys(('GLOBAL', 'STACK_GLOBAL'), _Machine.look_up),
    'REDUCE': _Machine.reduce,
    'BUILD': _Machine.build,
    'BINPERSID': _Machine.persistent,
    'EMPTY_LIST': _Machine.new_list,
    'EMPTY_DICT': _Machine.new_dict,
    'LIST': _Machine.marked_list,
    'TUPLE': _Machine.marked_tuple,
    'DICT': _Machine.marked_dict,
    'APPEND': _Machine.append,
    'APPENDS': _Machine.appends,
    'SETITEM': _Machine.set_item,
    'SETITEMS': _Machine.set_items,
}


class _Unpacker:
    """Turns what the machine left into plain Python, arrays and tensors."""

    def __init__(self) -> None:
        self.left = _MAX_VALUES

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Unpack a value; each reference counts, for callers walk them all."""
        # Count values and depth, so that nothing grows without end.
        self.left -= 1
        if depth > _MAX_DEPTH or self.left < 0:
            raise UnpicklingError('it is nested too deeply')
        # Unpack containers and what is in them.
        if isinstance(value, PickledArray):
            return value.unpacked(lambda item: self(item, depth + 1))
        if isinstance(value, dict):
            return {k: self(v, depth + 1) for k, v in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self(item, depth + 1) for item in value)
        if isinstance(value, PickledDtype):
            return value.dtype
        # Let no stand-in out.
        if type(value).__module__ == 'mmfmwsss.utils.pickled_arrays':
            raise UnpicklingError('an unfinished object is not allowed')
        return value


def run_pickle(content: bytes) -> Any:
    """Build the object of a pickle of an untrusted source.

    Args:
        content (bytes): Dicts, lists, tuples, numbers and texts, with arrays
            of numpy and tensors in them.

    Returns:
        The object.

    Raises:
        UnpicklingError: If it asks for anything else, or is too large.
        ValueError, TypeError, KeyError, IndexError, AttributeError: If it is
            damaged.
    """
    return _Unpacker()(_Machine(io.BytesIO(content)).run_next())
