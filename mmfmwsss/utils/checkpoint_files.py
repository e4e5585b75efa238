# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read files of weights and checkpoints without running code in them."""

import os
import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from .checkpoint_types import only_checkpoint_types
from .errors import UserInputError

__all__ = ['is_torchscript', 'read_checkpoint', 'read_weights']

_MOST_DEPTH = 100
_SHARED = 8  # bytes of tensors for each of the file, which tied weights need
_REFUSED_GLOBAL = re.compile(r'GLOBAL ([\w.]+)')
Place = str | torch.device | Callable[..., Any] | None


def read_checkpoint(
    path: str | os.PathLike[str],
    map_location: Place = 'cpu',
    remedy: str = '',
    code_remedy: str = 'Get its plain state_dict.',
    trusted: bool = False,
) -> Any:
    """Read what ``torch.save`` or safetensors wrote; run no code of the file.

    Tensors, numbers, strings, containers of these, and what else a checkpoint
    of mmengine holds are read; see :func:`only_checkpoint_types`.

    Args:
        path (str | PathLike): The file.
        map_location (str | device | callable): As for ``torch.load``.
        remedy (str): What to do about a wrong file; ends the message.
        code_remedy (str): What to do about a file that wants to run code.
        trusted (bool): Whether the user trusts the file, so that code in it
            may be run.

    Returns:
        Any: The content, most often a dict.

    Raises:
        UserInputError: If the file is missing, empty or damaged, wants more
            than data, or claims more memory than it has bytes for.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserInputError(_missing(file, remedy))
    if trusted:
        return torch.load(file, map_location, weights_only=False)
    # Read data alone, then see that it is no larger than the file.
    try:
        if file.suffix == '.safetensors':
            # of a place that is a function, the runner's, the default is used
            device = map_location if not callable(map_location) else 'cpu'
            content: Any = load_file(file, device=str(device or 'cpu'))
        else:
            _check_container(file)
            with only_checkpoint_types(), warnings.catch_warnings():
                warnings.simplefilter('ignore')  # notes on pickle protocols
                content = torch.load(file, map_location, weights_only=True)
        _check_sizes(content, file)
    except Exception as error:  # a damaged pickle may raise anything
        raise UserInputError(
            _unreadable(file, error, remedy, code_remedy)
        ) from error
    return content


def read_weights(
    path: str | os.PathLike[str],
    whose: str,
    *,
    wrappers: Sequence[str] = (),
    remedy: str = '',
) -> dict[str, Tensor]:
    """Read the tensors of a file of weights by name; run no code of the file.

    Args:
        path (str | PathLike): ``.safetensors``, or what ``torch.save`` wrote.
        whose (str): Whose weights are expected, for the message: ``'SAM'``.
        wrappers (Sequence[str]): Keys under which libraries put the weights
            into a larger dict; each is opened if it is there.
        remedy (str): What to do about a wrong file; ends the message.

    Returns:
        dict[str, Tensor]: At least one tensor; entries of other types, such
        as counts of iterations, are left out.

    Raises:
        UserInputError: If the file is missing or damaged, wants more than
            data, or holds no tensors by name.
    """
    # Open what libraries put around the weights.
    content = read_checkpoint(path, remedy=remedy)
    for key in wrappers:
        if isinstance(content, dict) and key in content:
            content = content[key]
    # Keep the tensors.
    entries = content.items() if isinstance(content, dict) else ()
    weights = {str(k): v for k, v in entries if isinstance(v, Tensor)}
    if not weights:
        raise UserInputError(
            f'Expected a flat dict of {whose} weights in {path}, found '
            f'{_describe(content)}. {remedy}'.rstrip()
        )
    return weights


def is_torchscript(path: Path) -> bool:
    """Tell whether a file is an archive of TorchScript, which has code."""
    try:
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # a damaged directory may raise anything
        return False
    return any(name.endswith('/constants.pkl') for name in names)


def check_archive(archive: zipfile.ZipFile, size: int, prefix: str) -> None:
    """See that the entries of a zip file are no larger than the file.

    Args:
        archive (ZipFile): Of tensors, as torch writes it.
        size (int): Of the file, bytes.
        prefix (str): Of the names of the entries that will be read.

    Raises:
        ValueError: If entries are compressed, which torch never does with
            tensors, or overlap: a small file could fill any memory; or if
            their checksums are wrong.
    """
    entries = [i for i in archive.infolist() if i.filename.startswith(prefix)]
    # Refuse compression, which could hide any size.
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f'its {entry.filename} is compressed')
    # Refuse parts that overlap.
    claimed = sum(entry.file_size for entry in entries)
    if claimed > size:
        raise ValueError(
            f'its parts claim {claimed:,} bytes, the file has {size:,}'
        )
    # Check the sums, unless they were left out.
    if any(entry.CRC for entry in entries):  # torch can leave them out
        for entry in entries:
            _read_through(archive, entry)


def _read_through(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Read an entry to its end, where a wrong checksum raises BadZipFile."""
    with archive.open(entry) as part:
        while part.read(1 << 20):
            pass


def _check_container(file: Path) -> None:
    """Refuse what torch would open by other means than its safe reader."""
    size = file.stat().st_size
    if not size:
        raise ValueError('it is empty')
    # Refuse programs and archives that unfold.
    if zipfile.is_zipfile(file):
        if is_torchscript(file):
            raise ValueError(
                'it is a TorchScript archive, a program; save the state_dict '
                'of the model in it'
            )
        with zipfile.ZipFile(file) as archive:
            check_archive(archive, size, '')
    if tarfile.is_tarfile(file):
        raise ValueError('it is a tar file, a format of 2016')


def _check_sizes(content: Any, file: Path) -> None:
    """Refuse tensors that are larger than what was read for them."""
    most = _SHARED * file.stat().st_size + (1 << 20)
    total = 0
    for tensor in _tensors(content):
        # Refuse tensors whose values are not all in the file.
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise ValueError(f'it has a tensor of layout {tensor.layout}')
        if tensor.is_meta:
            raise ValueError('it has a tensor without values')
        bytes_of = tensor.numel() * tensor.element_size()
        if bytes_of > tensor.untyped_storage().nbytes():
            raise ValueError(
                f'it has a tensor of shape {tuple(tensor.shape)} that repeats '
                f'the same few values'
            )
        total += bytes_of
    # Refuse many tensors that share few values.
    if total > most:
        raise ValueError(
            f'its tensors claim {total:,} bytes, the file has '
            f'{file.stat().st_size:,}'
        )


def _tensors(content: Any) -> Iterator[Tensor]:
    """Find all tensors in nested containers, without recursion.

    Raises:
        ValueError: If they are nested too deep for others to walk them.
    """
    seen: set[int] = set()
    stack: list[tuple[Any, int]] = [(content, 0)]
    while stack:
        item, depth = stack.pop()
        if isinstance(item, Tensor):
            yield item
            continue
        # Walk into each container once, as they may hold each other.
        inner = _children(item)
        if inner is None or id(item) in seen:
            continue
        seen.add(id(item))
        if depth > _MOST_DEPTH:
            raise ValueError(f'it is nested more than {_MOST_DEPTH} deep')
        stack.extend((child, depth + 1) for child in inner)


def _children(item: Any) -> Iterable[Any] | None:
    """List the items of a container; None for anything else."""
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    if isinstance(item, (list, tuple, set, frozenset)):
        return item
    return None


def _describe(content: Any) -> str:
    """Name what was found in place of weights."""
    if not isinstance(content, dict):
        return f'a {type(content).__name__}'
    keys = ', '.join(map(repr, list(content)[:4]))
    return f'a dict with {keys}' if keys else 'an empty dict'


def _missing(file: Path, remedy: str) -> str:
    beside = sorted(file.parent.glob('*.pth'), key=lambda f: f.stat().st_mtime)
    hint = f'There is {beside[-1]}. ' if beside else ''
    return f'Expected a checkpoint at {file}, but it is not there. {hint}' + (
        remedy or 'Give the path of one.'
    )


def _unreadable(
    file: Path, error: Exception, remedy: str, code_remedy: str
) -> str:
    # Tell code in the file from damage.
    wanted = _REFUSED_GLOBAL.search(str(error))
    if wanted is not None:
        return (
            f'Expected plain weights in {file}, but it cannot be read as '
            f'such: it asks for `{wanted[1]}`, which would run code of the '
            f'file. Nothing was run. {code_remedy} {remedy}'
        ).rstrip()
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f'Expected weights in {file}, but it cannot be read as plain weights '
        f'({type(error).__name__}: {reason[:160]}). Is the file complete? '
        f'{remedy}'
    ).rstrip()
