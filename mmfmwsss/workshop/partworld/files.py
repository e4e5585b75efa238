# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Write PartWorld to disk as a tree like PASCAL VOC's."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from ...utils import (
    UserInputError,
    atomic_path,
    digest_of_file,
    locked_folder,
)
from ...utils.palette_png import write_palette_png
from .drawing import render_scene
from .object_classes import CLASSES, PALETTE

__all__ = ['MOST_TRAIN_IMAGES', 'PartWorldRecord', 'write_partworld']

# Picture numbers of val follow these, whatever the size of train is.
MOST_TRAIN_IMAGES = 1000
_JPEG_QUALITY = 95
_RECORD = 'partworld.json'
_LABELS = 'image_labels.txt'
_ABOUT = (
    'PartWorld, drawn by mmfmwsss. Training uses JPEGImages and '
    'image_labels.txt; SegmentationClass is for evaluation only.'
)

_JOURNAL = 'drawn.txt'

_Job = tuple[str, int]  # name of a picture and its number in the world


@dataclass(frozen=True)
class _Drawn:
    """A picture that is drawn; a line of the journal.

    Attributes:
        name: Of the picture.
        digests: Of the files of picture and ground truth.
        classes: What the picture shows.
    """

    name: str
    digests: tuple[str, str]
    classes: tuple[str, ...]

    def line(self) -> str:
        return ' '.join([self.name, *self.digests, *self.classes]) + '\n'


@dataclass(frozen=True)
class PartWorldRecord:
    """Describe what a tree holds; written to ``partworld.json``.

    Attributes:
        seed (int): Number of the world.
        train (int): Number of training pictures.
        val (int): Number of validation pictures.
    """

    seed: int
    train: int
    val: int


def write_partworld(
    out: str | os.PathLike[str],
    record: PartWorldRecord,
    workers: int = 1,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] | None = None,
) -> int:
    """Write pictures, ground truth, labels and splits.

    A second call, also after a kill, draws only what is missing or was
    changed; the splits follow the new counts. Every file is written
    atomically, but for ``drawn.txt``, a line for each picture when it is done.

    Args:
        out (str | PathLike): Folder to write.
        record (PartWorldRecord): Seed and numbers of pictures.
        workers (int): Number of processes. Default: 1, this one.
        progress (Callable, optional): Given the pictures as they are done and
            their number, yields them again; to show a bar.

    Returns:
        int: Number of pictures drawn.

    Raises:
        UserInputError: If more than 1,000 training pictures are asked for, or
            the folder holds another world.
    """
    # Check that the folder is of this world
    root = Path(out)
    _check(root, record)
    # Number train and val apart, so that neither moves the other
    jobs = [(f'train_{i:04d}', i) for i in range(record.train)]
    jobs += [
        (f'val_{i:04d}', MOST_TRAIN_IMAGES + i) for i in range(record.val)
    ]
    with locked_folder(root):
        # Find out what an earlier run finished
        _remove_halves(root)
        drawn = _read_journal(root)
        todo = [job for job in jobs if not _is_complete(root, job[0], drawn)]
        content = {'about': _ABOUT, **asdict(record)}
        _write_text(root / _RECORD, json.dumps(content, indent=2) + '\n')
        # Each picture is in the journal as soon as its files are there.
        new: Iterable[_Drawn] = _draw_all(root, record.seed, todo, workers)
        with (root / _JOURNAL).open('a', encoding='utf-8') as journal:
            journal.write('\n' * (not _ends_line(root / _JOURNAL)))
            for one in progress(new, len(todo)) if progress else new:
                drawn[one.name] = one
                journal.write(one.line())
                journal.flush()
        _write_lists(root, jobs, drawn)
    return len(todo)


def _write_lists(
    root: Path, jobs: list[_Job], drawn: Mapping[str, _Drawn]
) -> None:
    """Write labels, splits and the journal in the order of the names."""
    # Write the image-level labels
    known = [drawn[name] for name in sorted(drawn)]
    _write_text(
        root / _LABELS,
        _join_lines(' '.join([one.name, *one.classes]) for one in known),
    )
    # Write the splits
    for split in ('train', 'val'):
        names = [name for name, _ in jobs if name.startswith(split)]
        _write_text(root / 'ImageSets' / f'{split}.txt', _join_lines(names))
    # Sort the journal, so that equal worlds have equal files
    _write_text(root / _JOURNAL, ''.join(one.line() for one in known))


def _check(root: Path, record: PartWorldRecord) -> None:
    # Keep the numbers of train and val apart
    if not 0 <= record.train <= MOST_TRAIN_IMAGES or record.val < 0:
        raise UserInputError(
            f'Expected 0 to {MOST_TRAIN_IMAGES} training pictures and 0 or '
            f'more for validation, but got {record.train} and {record.val}. '
            'Use --seed for more pictures of another world.'
        )
    # Refuse to mix two worlds in one folder
    if not (root / _RECORD).is_file():
        return
    try:
        seed = json.loads((root / _RECORD).read_text())['seed']
    except (ValueError, KeyError, TypeError) as error:
        raise UserInputError(
            f'Expected the record of a PartWorld tree in {root / _RECORD}, '
            f'but could not read it ({error}). Delete {root} or write to '
            'another folder.'
        ) from error
    if seed != record.seed:
        raise UserInputError(
            f'Expected PartWorld of seed {record.seed} in {root}, but it is '
            f'of seed {seed}. Delete the folder or write to another one.'
        )


def _paths(root: Path, name: str) -> tuple[Path, Path]:
    """Return the paths of picture and ground truth."""
    return (
        root / 'JPEGImages' / f'{name}.jpg',
        root / 'SegmentationClass' / f'{name}.png',
    )


def _is_complete(root: Path, name: str, drawn: Mapping[str, _Drawn]) -> bool:
    found = tuple(digest_of_file(path) for path in _paths(root, name))
    return name in drawn and drawn[name].digests == found


def _remove_halves(root: Path) -> None:
    """Delete what a kill left of pictures that were being written."""
    for folder in {path.parent for path in _paths(root, '')}:
        for split in ('train', 'val'):
            for half in folder.glob(f'.{split}_*'):
                half.unlink()


def _read_journal(root: Path) -> dict[str, _Drawn]:
    # A journal without a record may be of another seed: draw all again.
    path = root / _JOURNAL
    if not path.is_file() or not (root / _RECORD).is_file():
        path.unlink(missing_ok=True)
        return {}
    drawn = {}
    # Read the lines that were written whole
    for line in path.read_text(encoding='utf-8').splitlines(keepends=True):
        name, *rest = line.split() or ['']
        if line.endswith('\n') and len(rest) > 1:  # not cut off by a kill
            drawn[name] = _Drawn(name, (rest[0], rest[1]), tuple(rest[2:]))
    return drawn


def _ends_line(path: Path) -> bool:
    return path.read_bytes()[-1:] in (b'', b'\n')


def _draw_all(
    root: Path, seed: int, jobs: list[_Job], workers: int
) -> Iterator[_Drawn]:
    # Draw here, or in processes of their own
    draw = partial(_draw, root, seed)
    if workers <= 1:
        yield from map(draw, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(draw, jobs, chunksize=16)


def _draw(root: Path, seed: int, job: _Job) -> _Drawn:
    # Draw the scene from its number alone
    name, index = job
    scene = render_scene(seed, index)
    picture, truth = _paths(root, name)
    # Write truth, then picture
    write_palette_png(truth, scene.semantic_map(), PALETTE)
    with atomic_path(picture) as path:
        Image.fromarray(scene.image).save(path, quality=_JPEG_QUALITY)
    # Digest both, so that damage is noticed
    return _Drawn(
        name,
        (digest_of_file(picture), digest_of_file(truth)),
        tuple(CLASSES[c].name for c in scene.visible_classes()),
    )


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _join_lines(lines: Iterable[str]) -> str:
    return ''.join(f'{line}\n' for line in lines)
