# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Skip mask files that are finished, and report each image."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mmengine.logging import print_log

from ...structures import summarize_mask_file
from ...utils import UserInputError, digest_of

__all__ = ['finished_level_counts', 'mask_report', 'settings_hash']

Status = Literal['done', 'skipped', 'failed']


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Hash all that decides the masks, of types that JSON knows."""
    return digest_of(dict(settings))


def finished_level_counts(
    file: Path, settings: str, source: str
) -> list[int] | None:
    """Count masks per level in a file that need not be made again.

    Args:
        file (Path): The mask file, there or not.
        settings (str): From :func:`settings_hash`.
        source (str): Hash of what the masks are made of.

    Returns:
        list[int] | None: Sub-part, part and whole masks; None if the file is
        missing, damaged, edited, or of other settings or another source.
    """
    if not file.is_file():
        return None
    try:
        summary = summarize_mask_file(file)
    except UserInputError as error:
        print_log(
            f'Made again: {error}', logger='current', level=logging.WARNING
        )
        return None
    # Keep the file only if it is whole and nothing has changed since.
    current = (
        summary.is_intact
        and summary.settings == settings
        and summary.source == source
    )
    return summary.level_counts if current else None


def mask_report(
    name: str,
    status: Status,
    level_counts: list[int] | None = None,
    reason: str = '',
) -> dict[str, Any]:
    """Report on one image, for ``SAMMaskReport`` to sum up.

    Args:
        name (str): Name of the image.
        status (str): What was done.
        level_counts (list[int] | None): Sub-part, part and whole masks.
        reason (str): Why it failed.
    """
    return dict(
        name=name,
        status=status,
        reason=reason,
        level_counts=level_counts or [0, 0, 0],
    )
