# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Let mmengine read every checkpoint with this package's safe reader."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log
from mmengine.runner import checkpoint as mm
from torch.hub import download_url_to_file, get_dir

from ..utils import UserInputError, atomic_path, read_checkpoint

__all__ = ['install_checkpoint_reader']

_TRUST = (
    'Get its plain state_dict; a file that you made yourself is read by '
    'tools/train.py and tools/test.py with --trust-checkpoint.'
)
_trusted: set[Path] = set()


def install_checkpoint_reader(trusted: str | None = None) -> None:
    """Replace mmengine's loaders of checkpoints, for the whole process.

    mmengine runs the code of a file that its safe loader refuses. With this,
    its runner, ``init_cfg`` and its functions refuse such a file, from a path
    or from an address. For tools, which own their process; importing this
    package changes nothing.

    Args:
        trusted (str, optional): One file or address that the user trusts, so
            that code in it may be run.
    """
    # Trust one file at most.
    _trusted.clear()
    if trusted is not None:
        print_log(
            f'{trusted} is trusted: code in it is run.',
            logger='current',
            level=logging.WARNING,
        )
        _trusted.add(_identity(trusted))
    # Take the place of mmengine's loaders for all addresses.
    for prefixes, loader in _LOADERS.items():
        mm.CheckpointLoader.register_scheme(prefixes, loader, force=True)


def _identity(name: str) -> Path:
    return Path(name).expanduser().absolute()


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Read a local file."""
    return _read(Path(filename), filename, map_location)


def load_from_http(filename: str, map_location: Any = None) -> Any:
    """Download a file where PyTorch keeps such, unless it is there; read it.

    Raises:
        UserInputError: If it cannot be fetched.
    """
    # Download it once, in the first process; the others wait.
    folder = Path(get_dir()) / 'checkpoints'
    file = folder / filename.split('?')[0].rsplit('/', 1)[-1]
    if get_rank() == 0 and not file.is_file():
        try:
            with atomic_path(file) as temporary:
                download_url_to_file(filename, str(temporary), progress=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise UserInputError(
                f'Expected a checkpoint at {filename}, but it cannot be '
                f'fetched ({error}). Put the file at {file} yourself, or name '
                f'a local one.'
            ) from error
    barrier()
    return _read(file, filename, map_location)


def load_from_torchvision(filename: str, map_location: Any = None) -> Any:
    """Read the weights that torchvision publishes under a name."""
    urls = mm.get_torchvision_models()
    return load_from_http(_look_up(urls, filename), map_location)


def load_from_openmmlab(filename: str, map_location: Any = None) -> Any:
    """Read the weights that OpenMMLab publishes under a name."""
    # Follow the new name of a renamed file.
    name = filename.split('://', 1)[1]
    name = mm.get_deprecated_model_names().get(name, name)
    address = _look_up(mm.get_external_models(), f'openmmlab://{name}')
    # Read it from the network, or beside mmengine's own files.
    if address.startswith(('http://', 'https://')):
        return load_from_http(address, map_location)
    return load_from_local(
        os.path.join(mm._get_mmengine_home(), address), map_location
    )


def load_from_mmcls(filename: str, map_location: Any = None) -> Any:
    """Read the weights of a backbone that mmcls publishes under a name."""
    address = _look_up(mm.get_mmcls_models(), filename)
    content = load_from_http(address, map_location)
    return mm._process_mmcls_checkpoint(content)


def load_from_storage(filename: str, map_location: Any = None) -> Any:
    """Refuse what would be read without a file.

    Raises:
        UserInputError: Always.
    """
    raise UserInputError(
        f'Expected a local file or an address of https for a checkpoint, but '
        f'got {filename}. Copy it here and name the copy.'
    )


_LOADERS: Mapping[tuple[str, ...], Callable[..., Any]] = {
    ('',): load_from_local,
    ('http://', 'https://'): load_from_http,
    ('modelzoo://', 'torchvision://'): load_from_torchvision,
    ('open-mmlab://', 'openmmlab://'): load_from_openmmlab,
    ('mmcls://',): load_from_mmcls,
    (r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'pavi://'): load_from_storage,
}


def _look_up(addresses: Mapping[str, str], filename: str) -> str:
    name = filename.split('://', 1)[1]
    if name not in addresses:
        raise UserInputError(
            f'Expected a checkpoint that is published as {filename}, but '
            f'there is none. {sorted(addresses)[0]} is one.'
        )
    return addresses[name]


def _read(file: Path, name: str, map_location: Any) -> Any:
    """Read a file, without the config in it, which mmengine would run.

    On ``--resume`` it runs ``meta['config']`` as Python, only to compare the
    number of GPUs.
    """
    # Read plain data, or all that a trusted file has.
    trusted = _identity(name) in _trusted
    content = read_checkpoint(
        file, map_location, code_remedy=_TRUST, trusted=trusted
    )
    if not isinstance(content, dict):
        raise UserInputError(
            f'Expected a dict of weights in {file}, but got a '
            f'{type(content).__name__}. Save its state_dict.'
        )
    # Leave the config out.
    meta = content.get('meta')
    if isinstance(meta, dict):
        meta.pop('config', None)
    return content
