# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find configs that come with the package, in a wheel or a checkout."""

import os
from pathlib import Path

from .errors import UserInputError

__all__ = ['find_shipped_config', 'require_checkout']

_PACKAGE = Path(__file__).resolve().parents[1]
# The wheel carries them; links of a checkout may be lost (Windows).
_FOLDERS = (_PACKAGE / '.mim' / 'configs', _PACKAGE.parent / 'configs')


def find_shipped_config(name: str | os.PathLike[str]) -> Path | None:
    """Find a config of the package by its name.

    Args:
        name (str | PathLike): ``fmwsss/voc_prompt.py``, with or without
            ``mmfmwsss::`` or ``configs/`` in front and ``.py`` at the end.

    Returns:
        Path | None: The file; None if there is none of that name.
    """
    # Reduce the name to the path below the folder of configs.
    text = os.fspath(name).removeprefix('mmfmwsss::')
    below = Path(text.removeprefix(f'configs{os.sep}'))
    if not below.name or below.is_absolute() or '..' in below.parts:
        return None
    # Look for it in the folders that may have it.
    candidates = (below, below.with_name(f'{below.name}.py'))
    for folder in _FOLDERS:
        for candidate in candidates:
            if (folder / candidate).is_file():
                return (folder / candidate).resolve()
    return None


def require_checkout(root: Path) -> None:
    """Refuse to chain commands where no checkout is, in an installed wheel.

    Args:
        root (Path): Folder that holds ``tools`` and ``configs``.

    Raises:
        UserInputError: If it lies inside of the installed package, where data
            and results would end up.
    """
    if root.name == '.mim':
        raise UserInputError(
            'Expected a checkout of mmfmwsss, for this command runs all '
            f'stages in it, but the package is installed in {root.parent}. '
            'Run it in a checkout, or run the stages one by one, for example '
            '`mmfmwsss train fmwsss/partworld_prompt.py`.'
        )
