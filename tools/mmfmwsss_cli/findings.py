# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Findings about an installation, without importing what is installed."""

import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .commands import find_package

__all__ = [
    'Finding',
    'check_distributions',
    'check_machine',
    'check_weights',
    'compare_need',
]

# Import name -> what installs it, of what nothing works without.
_NEEDED = {
    'torch': 'torch',
    'torchvision': 'torchvision',
    'mmengine': '--no-cache-dir onedl-mmengine',
    'mmcv': '--no-cache-dir onedl-mmcv',
    'mmseg': '--no-cache-dir onedl-mmsegmentation',
    'mmdet': '--no-cache-dir onedl-mmdetection',
    'open_clip': 'open_clip_torch',
    'segment_anything': 'segment-anything',
    'cv2': 'opencv-python-headless',
}
_LISTED = (*_NEEDED, 'mmpretrain', 'timm', 'numpy')
_SHARED = re.compile(r'mm(engine|cv|seg|det|pretrain)')
_GIB = 2**30
_LEAST_DISK = _GIB  # bytes; below it runs are likely to end for want of space


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        level (str): ``'ok'``, ``'note'``, ``'warn'`` or ``'error'``.
        about (str): The package, file or part of the machine.
        text (str): What was found.
        remedy (str): The command that mends it, or nothing.
    """

    level: str
    about: str
    text: str
    remedy: str = ''


def check_distributions() -> list[Finding]:
    """List versions, and the owner of each import name: one, not two."""
    # Name Python and the package itself
    package = find_package()
    found = [
        Finding('ok', 'python', f'{platform.python_version()}, '
                f'{platform.platform()}'),
        Finding('ok', 'mmfmwsss', str(package)),
    ]  # fmt: skip
    # Find the owners of the others
    owners = metadata.packages_distributions()
    for name in _LISTED:
        found += _check_owners(name, sorted(set(owners.get(name, []))))
    # Say which library computes dense CRFs
    crf = importlib.util.find_spec('pydensecrf') is not None
    backend = 'pydensecrf, C++' if crf else 'torch (slower than pydensecrf)'
    return [*found, Finding('ok', 'dense CRF', backend)]


def check_machine() -> list[Finding]:
    """Measure free memory and disk."""
    # Read what the system tells of its memory
    found = []
    memory = free_memory()
    if memory is not None:
        text = f'{memory / _GIB:.1f} GiB free'
        found.append(Finding('ok', 'memory', text))
    # Measure the disk of the current folder, where results go
    disk = shutil.disk_usage('.').free
    text = f'{disk / _GIB:.1f} GiB free in {Path.cwd()}'
    if disk < _LEAST_DISK:
        remedy = 'free space there, or run in another folder'
        return [*found, Finding('error', 'disk', text, remedy)]
    return [*found, Finding('ok', 'disk', text)]


def free_memory() -> int | None:
    """Read how many bytes a new process can have; None if nothing tells."""
    # Take Linux's own estimate, which counts caches that it can drop
    try:
        text = Path('/proc/meminfo').read_text(encoding='ascii')
    except OSError:
        text = ''
    found = re.search(r'^MemAvailable: +(\d+) kB$', text, re.M)
    if found:
        return int(found[1]) * 1024
    if 'SC_AVPHYS_PAGES' in os.sysconf_names:
        return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    return None


def compare_need(
    about: str, size: int, terms: str, free: int | None = None
) -> Finding:
    """Compare what a run is estimated to take with what is free.

    Args:
        about (str): ``'memory'`` or ``'disk'``.
        size (int): Estimated bytes.
        terms (str): How they were counted.
        free (int, optional): Bytes; None asks the machine.

    Returns:
        Finding: A warning if it does not fit: an estimate is no error.
    """
    # Ask the machine
    if free is None and about == 'memory':
        free = free_memory()
    elif free is None:
        free = shutil.disk_usage('.').free
    text = f'needs about {size / _GIB:.2f} GiB, estimated ({terms})'
    if free is None or size <= free:
        return Finding('ok', about, text)
    # Say what makes it smaller
    remedy = {
        'memory': 'smaller batches (--cfg-options '
        'train_dataloader.batch_size=...; for masks '
        'model.source.points_per_batch=16 or SAM_ARCH=vit_t)',
        'disk': 'free space, or set the output folder to another disk',
    }[about]
    text += f', but {free / _GIB:.2f} GiB are free'
    return Finding('warn', about, text, remedy)


def check_weights(folder: str) -> list[Finding]:
    """Compare files of weights with the table of known ones.

    Args:
        folder (str): Where configs look for them.
    """
    package = find_package()
    if package is None:
        remedy = 'pip install mmfmwsss, from its wheel or checkout'
        return [Finding('error', 'mmfmwsss', 'not installed', remedy)]
    table = package / 'assets' / 'known_weights.json'
    rows = json.loads(table.read_text(encoding='utf-8'))
    return [
        _check_file(name, row, Path(folder) / row['file'])
        for name, row in rows.items()
    ]


def _check_owners(name: str, owners: list[str]) -> list[Finding]:
    if not owners and name not in _NEEDED:
        return [Finding('note', name, 'not installed, and not needed')]
    if not owners:
        # Without metadata, but on the path
        if importlib.util.find_spec(name) is not None:
            return [Finding('note', name, 'there, of no distribution')]
        remedy = f'pip install {_NEEDED[name]}'
        return [Finding('error', name, 'not installed', remedy)]
    text = ', '.join(f'{one} {metadata.version(one)}' for one in owners)
    if len(owners) > 1 and _SHARED.fullmatch(name):
        remedy = (
            f'pip uninstall -y {" ".join(owners)}, then pip install '
            '--no-cache-dir the one that you want'
        )
        text = f'two owners, whose files overwrite each other: {text}'
        return [Finding('error', name, text, remedy)]
    if len(owners) > 1 and name == 'cv2':
        return [_check_opencv(owners, text)]
    return [Finding('ok', name, text)]


def _check_opencv(owners: list[str], text: str) -> Finding:
    """Tell two builds of one version, which share files, from a mixture."""
    versions = {metadata.version(one) for one in owners}
    if len(versions) == 1:
        text += ': the same files; to uninstall one breaks the other'
        return Finding('note', 'cv2', text)
    remedy = (
        f'pip uninstall -y {" ".join(owners)}, then pip install '
        'opencv-python-headless'
    )
    text = f'files of several versions overwrite each other: {text}'
    return Finding('warn', 'cv2', text, remedy)


def _check_file(name: str, row: dict[str, str], file: Path) -> Finding:
    about = 'weights'
    remedy = f'python tools/get_weights.py {name}'
    if not file.is_file():
        text = f'{name}: no {file}; needed by {row["needed_by"]}'
        return Finding('note', about, text, remedy)
    # Compare as many digits as are known
    with file.open('rb') as opened:
        digest = hashlib.sha256()
        while block := opened.read(2**20):
            digest.update(block)
    found, known = digest.hexdigest(), row['sha256']
    if not found.startswith(known):
        text = f'{name}: {file} has SHA-256 {found}, not {known}'
        return Finding('error', about, text, f'rm {file}; {remedy}')
    checked = f'{len(known)} digits compared' if known else 'none is known'
    text = f'{name}: {file}, SHA-256 {found[:16]}... ({checked})'
    return Finding('ok', about, text)
