# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Before the pipeline: find out what is installed under which name."""

import importlib.util
import re
from importlib import metadata

__all__ = ['check_distributions']

# Distribution names that bring each import name. Vendors add suffixes for
# CUDA and torch (onedl-mmcv-cu128-torch2-8), hence patterns.
_OWNERS = {
    'mmengine': r'(onedl-)?mmengine(-lite)?',
    'mmcv': r'(onedl-)?mmcv(-lite|-full|-cu\d.*)?',
    'mmseg': r'(onedl-)?mmseg(mentation)?',
    'mmdet': r'(onedl-)?mmdet(ection)?',
    'mmpretrain': r'(onedl-)?mmpretrain',
}
_REQUIRED = ('mmengine', 'mmcv', 'mmseg')
# Up to this release mmengine imports pkg_resources, for `mmseg::` configs.
_LAST_WITH_PKG_RESOURCES = (0, 10, 7)
_FIRST_OPEN_CLIP = (2, 32)


def check_distributions() -> None:
    """Check that each OpenMMLab package is there once, and can be imported.

    The original packages and their continuation (``onedl-*``) share their
    import names. With both installed, files of one overwrite files of the
    other, and what is then imported is a mixture.

    Raises:
        RuntimeError: If two distributions own one import name; if a required
            package is missing; if mmengine needs ``pkg_resources`` and the
            installed setuptools no longer has it; if open_clip is too old.
    """
    installed = _installed()
    for package, pattern in _OWNERS.items():
        # See that each import name has one owner.
        owners = [name for name in installed if re.fullmatch(pattern, name)]
        if len(owners) > 1:
            _raise_two_owners(package, owners)
        if not owners and package in _REQUIRED:
            _check_importable(package)
    # See that the versions can work together.
    _check_pkg_resources(installed)
    _check_open_clip()


def _installed() -> dict[str, str]:
    """List versions of installed distributions by normal name, sorted."""
    versions: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.name
        if not name:  # what an interrupted uninstall leaves behind
            continue
        # The first on the path is the one that is imported.
        name = re.sub(r'[-_.]+', '-', name).lower()
        if name.startswith(('mm', 'onedl-mm')):
            versions.setdefault(name, distribution.version)
    return dict(sorted(versions.items()))


def _raise_two_owners(package: str, owners: list[str]) -> None:
    names = ' and '.join(f'`{name}`' for name in owners)
    raise RuntimeError(
        f'Expected one distribution that owns the package `{package}`, but '
        f'{len(owners)} are installed: {names}. Their files overwrite each '
        f'other. Run `pip uninstall -y {" ".join(owners)}`, then install '
        f'the one that you want with `pip install --no-cache-dir NAME`.'
    )


def _check_importable(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise RuntimeError(
            f'Expected the package `{package}`, but it is not installed. Run '
            '`pip install --no-cache-dir -r requirements/mminstall.txt` '
            '(or requirements/openmmlab.txt for the original packages).'
        )


def _check_pkg_resources(installed: dict[str, str]) -> None:
    # Pass releases that do without it.
    version = installed.get('mmengine') or installed.get('mmengine-lite')
    if version is None:
        return
    release = tuple(int(part) for part in re.findall(r'\d+', version)[:3])
    if release > _LAST_WITH_PKG_RESOURCES:
        return
    if importlib.util.find_spec('pkg_resources') is None:
        raise RuntimeError(
            f'mmengine {version} imports `pkg_resources`, but no setuptools '
            'that has it is installed (newer releases have removed it). Run '
            "`pip install 'setuptools<81'`."
        )


def _check_open_clip() -> None:
    try:
        version = metadata.version('open_clip_torch')
    except metadata.PackageNotFoundError:
        return  # the import that needs it says so
    release = tuple(int(part) for part in re.findall(r'\d+', version)[:2])
    if release < _FIRST_OPEN_CLIP:
        raise RuntimeError(
            f'Expected open_clip_torch 2.32 or newer, but {version} is '
            "installed. Run `pip install 'open_clip_torch>=2.32'`."
        )
