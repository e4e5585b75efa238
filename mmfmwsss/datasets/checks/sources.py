# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check the lists of a data set, and collect its pictures."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...utils import UserInputError
from ..image_files import FileFinder, list_images
from ..image_labels import read_image_labels
from ..image_lists import list_lines
from .findings import Finding
from .pictures import Picture

__all__ = ['Source', 'check_lists', 'collect', 'join']


@dataclass(frozen=True)
class Source:
    """Some pictures of a data set, and where what belongs to them is.

    Attributes:
        name (str): For the report, e.g. 'train_aug'.
        classes (tuple[str, ...]): Foreground classes.
        image_dir (str): Folder of the pictures.
        image_suffixes (tuple[str, ...]): Their suffixes.
        image_list (str, optional): Split file; without it the pictures of
            ``label_file`` or of the folder.
        label_file (str, optional): Labels as text, CSV or JSON.
        xml_dir (str, optional): Labels as VOC annotations.
        map_dir (str, optional): Masks or seeds, ``<image stem>.png``.
        sam_dir (str, optional): SAM masks, ``<image stem>.json``.
        needs_labels (bool): Whether a picture without a label is an error.
    """

    name: str
    classes: tuple[str, ...]
    image_dir: str
    image_suffixes: tuple[str, ...] = ('.jpg',)
    image_list: str | None = None
    label_file: str | None = None
    xml_dir: str | None = None
    map_dir: str | None = None
    sam_dir: str | None = None
    needs_labels: bool = False


def collect(source: Source) -> tuple[list[Picture], list[Finding]]:
    """Pictures of a source that exist, and what is wrong with its lists.

    Args:
        source (Source): Where they are.

    Returns:
        tuple: The pictures, and the defects; no exception.
    """
    findings: list[Finding] = []
    labels = _read_labels(source, findings)
    names = _read_names(source, labels, findings)
    finder = FileFinder()
    pictures = []
    for name in names:
        if any(c.isspace() for c in name):
            findings.append(Finding('name has a space', name))
        image = finder.image(source.image_dir, name, source.image_suffixes)
        if image is None:
            where = os.path.join(source.image_dir, name)
            findings.append(
                Finding('image missing', f'{where} (list {source.name})')
            )
            continue
        pictures.append(_picture(source, image, labels, finder, findings))
    if source.map_dir and not os.path.isdir(source.map_dir):
        findings = [f for f in findings if f.kind != 'mask missing']
        findings.append(
            Finding('mask missing', f'the whole folder {source.map_dir}')
        )
    return pictures, findings


def _read_labels(
    source: Source, findings: list[Finding]
) -> dict[str, tuple[str, ...]] | None:
    if source.label_file is None:
        return None
    try:
        found = read_image_labels(source.label_file, source.classes)
    except UserInputError as error:
        findings.append(Finding('label file wrong', str(error)))
        return None
    return {_stem(name, source): shown for name, shown in found.items()}


def _read_names(
    source: Source,
    labels: dict[str, tuple[str, ...]] | None,
    findings: list[Finding],
) -> list[str]:
    try:
        if source.image_list is not None:
            names = [name for _, name in list_lines(source.image_list)]
            findings += [
                Finding('repeated in a list', f'{name} in {source.image_list}')
                for name, count in sorted(Counter(names).items())
                if count > 1
            ]
        elif labels is not None:
            names = list(labels)
        else:
            names = list_images(source.image_dir, source.image_suffixes)
    except UserInputError as error:
        findings.append(Finding('list missing or empty', str(error)))
        return []
    if not names:
        findings.append(
            Finding('list missing or empty', f'{source.image_list} is empty')
        )
    return list(dict.fromkeys(names))


def _picture(
    source: Source,
    image: str,
    labels: dict[str, tuple[str, ...]] | None,
    finder: FileFinder,
    findings: list[Finding],
) -> Picture:
    stem = Path(image).stem

    def beside(folder: str | None, suffix: str, missing: str) -> str | None:
        if folder is None:
            return None
        path = os.path.join(folder, stem + suffix)
        if finder(path):
            return path
        findings.append(Finding(missing, path))
        return None

    beside(source.sam_dir, '.json', 'SAM masks missing')
    return Picture(
        image=image,
        classes=source.classes,
        seg_map=beside(source.map_dir, '.png', 'mask missing'),
        xml=beside(source.xml_dir, '.xml', 'annotation missing'),
        labels=None if labels is None else labels.get(stem, ()),
        needs_label=source.needs_labels,
    )


def _stem(name: str, source: Source) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix in source.image_suffixes else name


def join(pictures: Iterable[Picture]) -> list[Picture]:
    """Pictures of several lists, each once, with all that belongs to it."""
    merged: dict[str, Picture] = {}
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
    named: Sequence[tuple[Source, Sequence[Picture]]],
) -> list[Finding]:
    """Pictures that are in a list of train and in one of val or test.

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
