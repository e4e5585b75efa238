# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check a list of a data set, and collect its pictures."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...datasets.image_files import (
    IMAGE_SUFFIXES,
    FileFinder,
    names_in,
    walk_files,
)
from ...datasets.image_folder import ImageFile, ImageFolder
from ...datasets.image_label_source import annotation_names
from ...datasets.image_labels import read_image_labels
from ...datasets.image_lists import list_lines
from ...utils import UserInputError
from .findings import Finding
from .images import ImageFiles

__all__ = ['Source', 'collect_images']

_PICTURES = (*IMAGE_SUFFIXES, '.gif', '.heic', '.heif', '.avif', '.jp2')
_Rows = Mapping[str, tuple[str, ...]]


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
        label_dir (str, optional): Masks or seeds, ``<image name>.png``.
        sam_mask_dir (str, optional): SAM masks, ``<image name>.json``.
        needs_labels (bool): Whether a picture without a label is an error.
    """

    name: str
    classes: tuple[str, ...]
    image_dir: str
    image_suffixes: tuple[str, ...] = ('.jpg',)
    image_list: str | None = None
    label_file: str | None = None
    xml_dir: str | None = None
    label_dir: str | None = None
    sam_mask_dir: str | None = None
    needs_labels: bool = False


def collect_images(source: Source) -> tuple[list[ImageFiles], list[Finding]]:
    """Collect the images of a source, and the defects of its lists.

    What is wrong is a finding, never an exception.
    """
    # Read list and labels, and match both with the files of the folder
    findings: list[Finding] = []
    folder = ImageFolder(source.image_dir, source.image_suffixes)
    rows = _read_rows(source, findings)
    listed = _read_names(source, rows, folder, findings)
    images = _find(source, folder, listed, findings)
    labels = _labels(source, folder, rows, findings)
    if labels and not any(labels.values()):
        findings.append(
            Finding('no image has a label', str(source.label_file))
        )
    if source.image_list is None:
        findings += _left_out(source, folder, images)
    # Look for the annotation and the masks of each picture
    xml = annotation_names(source.xml_dir, images) if source.xml_dir else {}
    finder = FileFinder()
    pictures = [
        _image_files(
            source, image, labels, finder, findings, xml.get(image.path, '')
        )
        for image in images
    ]
    # Report a missing folder once, not for every picture
    if source.label_dir and not os.path.isdir(source.label_dir):
        findings = [f for f in findings if f.kind != 'mask missing']
        findings.append(
            Finding('mask missing', f'the whole folder {source.label_dir}')
        )
    return pictures, findings


def _read_rows(source: Source, findings: list[Finding]) -> _Rows | None:
    """Read labels as the label file writes them; None without a file."""
    if source.label_file is None:
        return None
    try:
        return read_image_labels(source.label_file, source.classes)
    except UserInputError as error:
        findings.append(Finding('label file wrong', str(error)))
        return None


def _read_names(
    source: Source,
    rows: _Rows | None,
    folder: ImageFolder,
    findings: list[Finding],
) -> list[str]:
    """Read the names of images from the list."""
    try:
        if source.image_list is not None:
            names = [name for _, name in list_lines(source.image_list)]
            findings += [
                Finding('repeated in a list', f'{name} in {source.image_list}')
                for name, count in sorted(Counter(names).items())
                if count > 1
            ]
        elif rows is not None:
            names = list(rows)
        elif source.xml_dir is not None:
            names = names_in(source.xml_dir, '.xml')
        else:
            names = folder.all()
    except UserInputError as error:
        findings.append(Finding('list missing or empty', str(error)))
        return []
    if not names:
        empty = source.image_list or source.xml_dir
        findings.append(Finding('list missing or empty', f'{empty} is empty'))
    return list(dict.fromkeys(names))


def _find(
    source: Source,
    folder: ImageFolder,
    listed: Sequence[str],
    findings: list[Finding],
) -> list[ImageFile]:
    """Find the listed pictures that a run would read."""
    found: dict[str, ImageFile] = {}
    for name in listed:
        if any(c.isspace() for c in name):
            findings.append(Finding('name has a space', name))
        matches = _matches(folder, name, findings)
        if matches == []:
            where = os.path.join(source.image_dir, name)
            findings.append(
                Finding('image missing', f'{where} (list {source.name})')
            )
        if matches is None or len(matches) != 1:
            continue
        image = folder.file(matches[0])
        other = found.setdefault(image.name, image)
        if other is not image:
            same = other.path == image.path
            kind = 'repeated in a list' if same else 'two images of one name'
            findings.append(Finding(kind, f'{other.path} and {name}'))
    findings += _alike(list(found))
    return list(found.values())


def _matches(
    folder: ImageFolder, listed: str, findings: list[Finding]
) -> list[str] | None:
    """Find the files that a listed name may mean; None if there is none."""
    try:
        found = folder.matches(listed)
    except UserInputError:
        what = f'{listed} is not in {folder.folder}'
        findings.append(Finding('image outside of the folder', what))
        return None
    if len(found) > 1:
        what = f'{listed}: {", ".join(found[:4])}'
        findings.append(Finding('name fits several images', what))
    return found


def _labels(
    source: Source,
    folder: ImageFolder,
    rows: _Rows | None,
    findings: list[Finding],
) -> _Rows | None:
    """Collect labels by the path of the picture."""
    if rows is None:
        return None
    labels: dict[str, tuple[str, ...]] = {}
    for listed, shown in rows.items():
        # Without a list the rows are the list, and are reported already.
        report = findings if source.image_list else []
        matches = _matches(folder, listed, report)
        if matches == []:
            what = f'{listed} in {source.label_file}'
            report.append(Finding('line without an image', what))
        if matches is None or len(matches) != 1:
            continue
        path = folder.file(matches[0]).path
        if path in labels:
            what = f'{path} in {source.label_file}'
            report.append(Finding('repeated in a list', what))
        labels[path] = shown
    return labels


def _alike(names: Sequence[str]) -> list[Finding]:
    """Find names that are one where capitals are not told apart."""
    folded: dict[str, str] = {}
    return [
        Finding('names differ in capitals only', f'{other} and {name}')
        for name in names
        if (other := folded.setdefault(name.lower(), name)) != name
    ]


def _left_out(
    source: Source, folder: ImageFolder, images: Sequence[ImageFile]
) -> list[Finding]:
    """Find files of the folder that look like pictures but go unread."""
    try:
        files = list(walk_files(folder.folder))
    except OSError:
        return []  # reported already
    # Tell files that no list names from those of another suffix
    wanted = tuple(suffix.lower() for suffix in source.image_suffixes)
    listed = {image.path for image in images}
    found = []
    for file in files:
        path = os.path.join(folder.folder, file)
        if path in listed:
            continue
        if file.lower().endswith(wanted):
            found.append(Finding('image without a line', path))
        elif os.path.splitext(file)[1].lower() in _PICTURES:
            found.append(Finding('image of another suffix', path))
    return found


def _image_files(
    source: Source,
    image: ImageFile,
    labels: _Rows | None,
    finder: FileFinder,
    findings: list[Finding],
    annotation: str = '',
) -> ImageFiles:
    def beside(folder: str | None, file: str, missing: str) -> str | None:
        if folder is None:
            return None
        path = os.path.join(folder, file)
        if finder(path):
            return path
        findings.append(Finding(missing, path))
        return None

    beside(source.sam_mask_dir, f'{image.name}.json', 'SAM masks missing')
    return ImageFiles(
        image=image.path,
        classes=source.classes,
        seg_map=beside(source.label_dir, f'{image.name}.png', 'mask missing'),
        xml=beside(source.xml_dir, f'{annotation}.xml', 'annotation missing'),
        labels=None if labels is None else labels.get(image.path, ()),
        needs_label=source.needs_labels,
    )
