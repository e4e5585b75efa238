# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Write PartWorld to disk as a tree like PASCAL VOC's."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from ..utils import UserInputError, atomic_path
from ..utils.palette_png import write_palette_png
from .partworld import CLASSES, PALETTE, render_scene

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

_Job = tuple[str, int]  # name of a picture and its number in the world
_Drawn = tuple[str, tuple[str, ...]]  # name of a picture and its classes
_Progress = Callable[[Iterable[_Drawn], int], Iterable[_Drawn]]


@dataclass(frozen=True)
class PartWorldRecord:
    """What a tree holds; written to ``partworld.json``.

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
    progress: Callable[[Iterable[_Drawn], int], Iterable[_Drawn]]
    | None = None,
) -> int:
    """Write pictures, ground truth, labels and splits.

    A second call draws only what is missing; the splits follow the new
    counts. Every file is written atomically.

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
    root = Path(out)
    _check(root, record)
    jobs = [(f'train_{i:04d}', i) for i in range(record.train)]
    jobs += [
        (f'val_{i:04d}', MOST_TRAIN_IMAGES + i) for i in range(record.val)
    ]
    labels = _read_labels(root)
    todo = [job for job in jobs if not _is_complete(root, job[0], labels)]
    content = {'about': _ABOUT, **asdict(record)}
    _write_text(root / _RECORD, json.dumps(content, indent=2) + '\n')
    drawn: Iterable[_Drawn] = _draw_all(root, record.seed, todo, workers)
    try:
        for name, classes in progress(drawn, len(todo)) if progress else drawn:
            labels[name] = classes
    finally:  # an interrupted run goes on where it stopped
        lines = [' '.join([name, *labels[name]]) for name in sorted(labels)]
        _write_text(root / _LABELS, _join_lines(lines))
    for split in ('train', 'val'):
        names = [name for name, _ in jobs if name.startswith(split)]
        _write_text(root / 'ImageSets' / f'{split}.txt', _join_lines(names))
    return len(todo)


def _check(root: Path, record: PartWorldRecord) -> None:
    if not 0 <= record.train <= MOST_TRAIN_IMAGES or record.val < 0:
        raise UserInputError(
            f'Expected 0 to {MOST_TRAIN_IMAGES} training pictures and 0 or '
            f'more for validation, but got {record.train} and {record.val}. '
            'Use --seed for more pictures of another world.'
        )
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
    """Picture and ground truth."""
    return (
        root / 'JPEGImages' / f'{name}.jpg',
        root / 'SegmentationClass' / f'{name}.png',
    )


def _is_complete(
    root: Path, name: str, labels: Mapping[str, tuple[str, ...]]
) -> bool:
    return name in labels and all(p.is_file() for p in _paths(root, name))


def _read_labels(root: Path) -> dict[str, tuple[str, ...]]:
    # Labels without a record may be of another seed: draw them again.
    if not (root / _LABELS).is_file() or not (root / _RECORD).is_file():
        return {}
    rows = [line.split() for line in (root / _LABELS).read_text().splitlines()]
    return {row[0]: tuple(row[1:]) for row in rows if row}


def _draw_all(
    root: Path, seed: int, jobs: list[_Job], workers: int
) -> Iterator[_Drawn]:
    draw = partial(_draw, root, seed)
    if workers <= 1:
        yield from map(draw, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(draw, jobs, chunksize=16)


def _draw(root: Path, seed: int, job: _Job) -> _Drawn:
    name, index = job
    scene = render_scene(seed, index)
    picture, truth = _paths(root, name)
    write_palette_png(truth, scene.semantic_map(), PALETTE)
    with atomic_path(picture) as path:
        Image.fromarray(scene.image).save(path, quality=_JPEG_QUALITY)
    return name, tuple(CLASSES[c].name for c in scene.visible_classes())


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _join_lines(lines: Iterable[str]) -> str:
    return ''.join(f'{line}\n' for line in lines)
