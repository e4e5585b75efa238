# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Merge the images of several lists, and find what two lists share."""

from collections.abc import Iterable, Sequence

from .findings import Finding
from .images import ImageFiles
from .sources import Source

__all__ = ['check_lists', 'merge_images']


def merge_images(pictures: Iterable[ImageFiles]) -> list[ImageFiles]:
    """Merge images of several lists: each once, with all that is its own."""
    merged: dict[str, ImageFiles] = {}
    for new in pictures:
        old = merged.get(new.image, new)
        merged[new.image] = new._replace(
            seg_map=new.seg_map or old.seg_map,
            xml=new.xml or old.xml,
            labels=old.labels if new.labels is None else new.labels,
            needs_label=new.needs_label or old.needs_label,
        )
    return list(merged.values())


def check_lists(
    named: Sequence[tuple[Source, Sequence[ImageFiles]]],
) -> list[Finding]:
    """Find images that are in a list of train and in one of val or test.

    What a list is for is told by the beginning of its name.
    """
    findings = []
    for train, mine in named:
        for other, theirs in named:
            if train.name.startswith('train') and other.name.startswith(
                ('val', 'test')
            ):
                common = {p.image for p in mine} & {p.image for p in theirs}
                findings += [
                    Finding(
                        'in train and in val',
                        f'{image} in {train.name} and {other.name}',
                    )
                    for image in sorted(common)
                ]
    return findings
