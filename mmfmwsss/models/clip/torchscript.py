# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The tensors of a TorchScript archive, without running its program."""

import io
import pickle
import pickletools
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from ...utils.checkpoint_files import check_archive

__all__ = ['read_torchscript']

_MOST_PICKLE = 64 << 20  # bytes; CLIP's largest has less than 1 MiB
_MOST_ITEMS = 200_000
_SHARED = 8  # bytes of tensors for each of the file
_MOST_BYTES_OF_NUMBER = 16
_OPCODES = re.compile(
    'PROTO|GLOBAL|NEWOBJ|REDUCE|BUILD|MARK|(EMPTY_)?TUPLE|TUPLE[123]|'
    'EMPTY_(LIST|DICT)|APPENDS?|SETITEMS?|NONE|NEWTRUE|NEWFALSE|BININT[12]?|'
    'LONG1|BINFLOAT|(SHORT_)?BINUNICODE|BINPERSID|(LONG_)?BIN(GET|PUT)|STOP'
)
_DTYPES = {
    f'{name}Storage': dtype
    for name, dtype in dict(
        Float=torch.float32,
        Double=torch.float64,
        Half=torch.float16,
        BFloat16=torch.bfloat16,
        Long=torch.int64,
        Int=torch.int32,
        Short=torch.int16,
        Char=torch.int8,
        Byte=torch.uint8,
        Bool=torch.bool,
    ).items()
}


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Read the tensors of the modules in an archive, by name.

    ``torch.jit.load`` builds the modules with the archive's own code, which
    may open and write files. This reads the data alone.

    Args:
        path (Path): What ``torch.jit.save`` wrote.

    Returns:
        dict[str, Tensor]: Parameters, buffers (those that are not persistent,
        too) and other tensors that the modules hold.

    Raises:
        ValueError: If it is damaged, has modules that restore themselves by
            code, or claims more than it has bytes for.
        pickle.UnpicklingError: If it asks for anything but tensors.
    """
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        # Find the folder in the archive
        top = next(
            name.removesuffix('constants.pkl')
            for name in archive.namelist()
            if name.endswith('/constants.pkl')
        )
        # Refuse parts of another form, order or size than usual
        for part in ('data/', 'data.pkl'):
            check_archive(archive, size, top + part)
        order = f'{top}byteorder'
        if order in archive.namelist() and archive.read(order) != b'little':
            raise ValueError('its bytes are in another order than usual')
        if archive.getinfo(f'{top}data.pkl').file_size > _MOST_PICKLE:
            raise ValueError('its description of the modules is too long')
        # Read the modules as data, without the archive's code
        content = archive.read(f'{top}data.pkl')
        _check_opcodes(content)
        model = _Unpickler(content, archive, f'{top}data/').load()
    # Refuse tensors that claim more than the file can hold
    tensors = dict(_tensors(model))
    claimed = sum(t.numel() * t.element_size() for t in tensors.values())
    if claimed > _SHARED * size + (1 << 20):
        raise ValueError(
            f'its tensors claim {claimed:,} bytes, the file has {size:,}'
        )
    return tensors


class _Module:
    """A module, or any object of the archive: its attributes and no code."""

    attributes: Mapping[Any, Any] = MappingProxyType({})

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise ValueError(
                'a module in it restores itself by code of the file'
            )
        self.attributes = state


class _Unpickler(pickle.Unpickler):
    """Find modules, which stay data, and tensors."""

    def __init__(
        self, content: bytes, archive: zipfile.ZipFile, folder: str
    ) -> None:
        super().__init__(io.BytesIO(content))
        self.archive, self.folder = archive, folder
        self.storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up, if it is on the list."""
        # Take every class of the archive for a module without code
        if module == '__torch__' or module.startswith('__torch__.'):
            return _Module
        if module == 'torch' and name in _DTYPES:
            return _DTYPES[name]
        # Pass over the notes about types of containers
        if module == 'torch.jit._pickle' and (
            name == 'restore_type_tag' or name.startswith('build_')
        ):
            return _first
        # Allow what tensors are made of, and nothing else
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ('torch._utils', '_rebuild_tensor_v2'): _rebuild,
            ('collections', 'OrderedDict'): _empty_dict,
            ('torch', 'device'): str,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(
                f'it asks for {module}.{name}, which is not allowed'
            )
        return known[module, name]

    def persistent_load(self, pid: Any) -> Tensor:
        """Give the values of a storage, flat."""
        # Refuse what is no storage of numbers
        kind, dtype, key, _, count = pid
        if (
            kind != 'storage'
            or not isinstance(dtype, torch.dtype)
            or not isinstance(key, str)
            or not isinstance(count, int)
        ):
            raise ValueError('a storage of numbers was expected')
        # Read each storage once, however many tensors share it
        if key not in self.storages:
            raw = bytearray(self.archive.read(self.folder + key))
            self.storages[key] = torch.frombuffer(
                raw or bytearray(_MOST_BYTES_OF_NUMBER), dtype=torch.uint8
            )[: len(raw)]
        # Check its length against the claim
        storage = self.storages[key]
        if count < 0 or len(storage) != count * dtype.itemsize:
            raise ValueError(
                f'its storage {key} has {len(storage)} bytes for {count} '
                f'numbers'
            )
        return storage.view(dtype) if count else torch.empty(0, dtype=dtype)


def _rebuild(
    storage: Any, offset: Any, size: Any, stride: Any, *_: Any
) -> Tensor:
    """Make a tensor of a part of a storage, of no more than is in it."""
    # Refuse sizes that are not whole and moderate
    numbers = [offset, *size, *stride]
    if (
        not isinstance(storage, Tensor)
        or len(size) != len(stride)
        or not all(type(n) is int and 0 <= n < 1 << 48 for n in numbers)
    ):
        raise ValueError('the size of a tensor in it is none')
    if not prod(size):
        return torch.empty(size, dtype=storage.dtype)
    # Refuse a tensor that reaches beyond its storage
    last = offset + sum(
        (n - 1) * step for n, step in zip(size, stride, strict=True)
    )
    if last >= len(storage) or prod(size) > len(storage):
        raise ValueError(
            f'a tensor of shape {tuple(size)} in it claims more than its '
            f'{len(storage)} numbers'
        )
    return storage.as_strided(tuple(size), tuple(stride), offset)


def _first(value: Any, *_: Any) -> Any:
    """Stand in for functions that note the type of a container."""
    return value


def _empty_dict() -> dict[Any, Any]:
    return {}


def _check_opcodes(content: bytes) -> None:
    """Refuse what a pickle of TorchScript does not need.

    Places in the memo must not be beyond the pickle's own length: they are
    memory that is taken at once.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if not _OPCODES.fullmatch(opcode.name):
            raise ValueError(f'its pickle has the operation {opcode.name}')
        if opcode.name.endswith('BINPUT') and (argument or 0) > len(content):
            raise ValueError('its pickle has a memo of no end')


def _tensors(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Collect tensors of a module and of the modules in it, by name."""
    # Walk through the modules, of which there may be too many
    seen = 0
    stack: list[tuple[str, Any]] = [('', model)]
    while stack:
        name, item = stack.pop()
        seen += 1
        if seen > _MOST_ITEMS:  # few modules that hold each other are many
            raise ValueError(f'it has more than {_MOST_ITEMS:,} attributes')
        if isinstance(item, Tensor):
            yield name, item
        elif isinstance(item, _Module):
            for key, value in item.attributes.items():
                stack.append((f'{name}.{key}' if name else str(key), value))
