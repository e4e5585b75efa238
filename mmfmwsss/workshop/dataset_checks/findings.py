# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""List the defects that a data set can have, and print those found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prettytable import PrettyTable

__all__ = [
    'KINDS',
    'Finding',
    'Kind',
    'findings_table',
    'list_findings',
    'stops_a_run',
]

_WIDTHS = {'example': 44, 'remedy': 38}  # characters


@dataclass(frozen=True)
class Kind:
    """A kind of defect.

    Attributes:
        stops (bool): Whether a run would refuse to start, would list the
            image as failed, or would mean nothing. Otherwise it is good to
            know.
        remedy (str): What to do.
    """

    stops: bool
    remedy: str


class Finding(NamedTuple):
    """A defect.

    Attributes:
        kind (str): Key of ``KINDS``.
        example (str): Where, and what was found there.
    """

    kind: str
    example: str


# In the order of the report.
KINDS: dict[str, Kind] = {
    'list missing or empty': Kind(True, 'Correct the path, or write the list'),
    'repeated in a list': Kind(True, 'Delete all lines of it but one'),
    'two images of one name': Kind(
        True, 'Rename one: masks and seeds would be one file'
    ),
    'name fits several images': Kind(
        True, 'Write the path below the folder, with the suffix'
    ),
    'image outside of the folder': Kind(
        True, 'Write the path below the folder, or correct image_dir'
    ),
    'image missing': Kind(True, 'Put it there, or take it out of the list'),
    'image of zero bytes': Kind(True, 'Copy it again: the disk was full, say'),
    'image damaged': Kind(True, 'Copy it again, or take it out of the list'),
    'annotation missing': Kind(True, 'Extract it from the archive again'),
    'annotation wrong': Kind(True, 'Mend it, or add the class'),
    'label file wrong': Kind(True, 'Mend the label file'),
    'image without label': Kind(
        True, 'Add a class, take it out of the list, or set drop_unlabelled'
    ),
    'no image has a label': Kind(
        True, 'Write the classes of each image behind its name'
    ),
    'SAM masks missing': Kind(
        True, 'Make them: tools/test.py with the *_sam_masks.py config'
    ),
    'mask missing': Kind(True, 'Make it, or score without ground truth'),
    'mask damaged': Kind(True, 'Copy it again, or convert it again'),
    'mask has colours': Kind(
        True, 'Save class indices in one channel: a palette PNG'
    ),
    'mask has unknown label': Kind(
        True, 'Mend the mask: 0, the classes from 1, and 255'
    ),
    'masks show no class': Kind(
        True,
        '255 is ignored, and 0 is background: write the index of the class, '
        '1 or more, in place of 255',
    ),
    'mask has another size': Kind(
        True, 'Make both of one size; see EXIF rotation if they are swapped'
    ),
    'mask looks blended': Kind(
        False, 'Resize masks with nearest neighbour, save no JPEG of them'
    ),
    'mask and labels disagree': Kind(
        False, 'Correct the labels, if the mask is right; VOC has some'
    ),
    'image rotated by EXIF': Kind(
        False,
        'Nothing: it is rotated; a mask of it must be of the rotated image',
    ),
    'image is very long': Kind(
        False, 'Crop it: models see its short side as a few pixels'
    ),
    'image is grey-scale': Kind(
        False, 'Nothing: it is read as three channels'
    ),
    'image without a line': Kind(
        False, 'Add it to the label file: a run leaves it out'
    ),
    'line without an image': Kind(
        False, 'Put the image there, if it was to be used'
    ),
    'image of another suffix': Kind(
        False, 'Convert it, or add the suffix to image_suffix'
    ),
    'names differ in capitals only': Kind(
        False, 'Rename one: on Windows and macOS they are one file'
    ),
    'name has a space': Kind(
        False, 'Quotes, or tabs between entries, in text label files'
    ),
    'in train and in val': Kind(
        False, 'Take it out of train: a score on val says nothing else'
    ),
    'no ground truth': Kind(
        False, 'Fine for weak supervision; no mIoU without it'
    ),
}


def stops_a_run(findings: Sequence[Finding]) -> bool:
    """Tell whether a run on this data would stop, or list failures."""
    return any(KINDS[finding.kind].stops for finding in findings)


def list_findings(findings: Sequence[Finding], most: int) -> str:
    """List what stops a run, one line a file, where there is more than one.

    Args:
        findings (Sequence[Finding]): In any order.
        most (int): How many of a kind to list; the others are counted.

    Returns:
        str: Lines; empty if the table says all.
    """
    lines = []
    # Take the kinds that stop a run and that the table cuts short
    for name, kind in KINDS.items():
        examples = [f.example for f in findings if f.kind == name]
        if not kind.stops or len(examples) < 2:
            continue
        # List the first files
        lines += [f'{name} ({len(examples)}):']
        lines += [f'  {example}' for example in examples[:most]]
        if len(examples) > most:
            lines.append(f'  and {len(examples) - most} more')
    return '\n'.join(lines)


def findings_table(findings: Sequence[Finding]) -> str:
    """Tabulate the kinds: effect, count, an example, the remedy.

    Args:
        findings (Sequence[Finding]): In any order.

    Returns:
        str: The table, kinds in the order of ``KINDS``.
    """
    # Limit the widths, so that the table fits into a terminal
    table = PrettyTable(['what', 'effect', 'count', 'example', 'remedy'])
    table.align = 'l'
    for column, width in _WIDTHS.items():
        table.max_width[column] = width
    # Add a row for each kind that was found
    for name, kind in KINDS.items():
        examples = [f.example for f in findings if f.kind == name]
        if examples:
            effect = 'stops' if kind.stops else 'note'
            table.add_row(
                [name, effect, len(examples), examples[0], kind.remedy],
                divider=True,
            )
    return str(table.get_string())
