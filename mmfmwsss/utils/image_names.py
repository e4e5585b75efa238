# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The name of an image, which its masks, seeds and labels share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ['image_name_of']


def image_name_of(record: Mapping[str, Any]) -> str:
    """Name a picture as the files that belong to it are named.

    It is the path below the image folder without the suffix, 'kitchen/001',
    so that pictures of two folders never share a mask, a seed or a label.

    Args:
        record (Mapping): Record of a data set, results of a pipeline or the
            meta information of a sample: ``image_name`` or, where another
            pipeline has not packed it, ``img_path``, whose stem stands in.
    """
    name = record.get('image_name')
    return str(name) if name else Path(record['img_path']).stem
