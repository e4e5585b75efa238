# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The report on runs: numbers, curves, sheets of images."""

import logging
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log

from ...evaluation.metrics import class_scores, intersection_over_union
from ...utils import UserInputError
from .image_sheets import group_runs, image_sheet
from .label_maps import Ranking, rank
from .opening import opening
from .run_folder import Result, RunFolder
from .run_tables import (
    ClassScores,
    class_table,
    learning_curves,
    number_table,
    score_table,
    split_of,
)
from .sections import Prose, Section, Table
from .tested_run import TestedRun, open_tested_run

__all__ = ['run_sections']

_ROUNDING = 0.011  # of the figures in metrics.json, percent


def run_sections(
    runs: Sequence[RunFolder], images: int = 60, picture_size: int = 240
) -> list[Section]:
    """Make the report on some runs.

    Args:
        runs (Sequence[RunFolder]): From :func:`find_runs`, names distinct.
        images (int): Most images in each sheet; 0 for no sheet.
        picture_size (int): Greatest side of a picture, pixels.

    Returns:
        list: Sections for :func:`render_page`.
    """
    # Open the runs, and put those on the same images together
    tested, troubles = _open_all(runs)
    groups = group_runs(tested)
    # Begin with all scores
    results = [result for run in runs for result in run.results]
    counts = {run.run.name: len(run.images.paths) for run in tested}
    sections: list[Section] = [score_table(results, counts, runs)]
    sheets: list[Section] = []
    # Add classes, remarks and pictures of each set of images
    for title, group in zip(_titles(groups), groups, strict=True):
        rankings = _rank_all(group)
        sections += _class_tables(group, rankings, title)
        troubles += _differences(group, rankings)
        if images > 0:
            main = rankings.get(_key(group[0].main), Ranking({}, None))
            sheets.append(
                image_sheet(
                    f'Images: {title}', group, main, images, picture_size
                )
            )
    # Add numbers and curves, and put the pictures last
    sections.append(number_table(runs))
    sections += filter(None, (learning_curves(run) for run in runs))
    sections += sheets
    # Put the remarks on top
    if troubles:
        sections.insert(0, Prose('Remarks', items=troubles))
    # Open with what the page shows
    sections.insert(0, opening(runs, results, counts, bool(sheets)))
    return [section for section in sections if not _is_empty(section)]


def _is_empty(section: Section) -> bool:
    return isinstance(section, Table) and not section.rows


def _open_all(
    runs: Sequence[RunFolder],
) -> tuple[list[TestedRun], list[str]]:
    """Open what can be opened, and tell of the rest."""
    tested, troubles = [], []
    # Open each run; trouble with one does not end the report
    for run in runs:
        try:
            opened = open_tested_run(run)
        except UserInputError as error:
            print_log(str(error), logger='current', level=logging.WARNING)
            troubles.append(f'No images of {run.name}: {error}')
            continue
        if opened is not None:
            tested.append(opened)
    return tested, troubles


def _key(result: Result) -> tuple[str, str]:
    return result.run.name, result.field


def _rank_all(
    group: Sequence[TestedRun],
) -> dict[tuple[str, str], Ranking]:
    """Score the label maps on disk: the first, and those without a record."""
    # Rank what the pictures need, and what has no scores yet
    rankings = {}
    for run in group:
        for result in run.shown:
            first = result is group[0].main
            if result.label_dir and (first or not result.record):
                rankings[_key(result)] = rank(result, run.images)
    return rankings


def _titles(groups: Sequence[Sequence[TestedRun]]) -> list[str]:
    """Name each set of images by its split, or by its runs.

    Returns:
        list[str]: Distinct, so that headings are.
    """
    splits = [split_of(group[0].main) for group in groups]
    return [
        split
        if split and splits.count(split) == 1
        else ', '.join(run.run.name for run in group)
        for split, group in zip(splits, groups, strict=True)
    ]


def _class_tables(
    group: Sequence[TestedRun],
    rankings: dict[tuple[str, str], Ranking],
    title: str,
) -> list[Section]:
    # Take the classes' scores from the record, else from the disk
    columns: list[tuple[str, ClassScores]] = []
    for run in group:
        for result in run.run.results:
            scores = result.record.get('classes')
            ranking = rankings.get(_key(result))
            if not scores and ranking and ranking.areas is not None:
                scores = class_scores(run.images.classes, ranking.areas)
            # Name the run where there are several
            if scores:
                name = result.title
                if len(group) > 1:
                    name = f'{name} ({run.run.name})'
                columns.append((name, scores))
    # Leave out an empty table
    if not columns:
        return []
    images = len(group[0].images.paths)
    caption = f'{images} images. The best of each row is bold.'
    return [class_table(f'Classes: {title}', columns, caption)]


def _differences(
    group: Sequence[TestedRun], rankings: dict[tuple[str, str], Ranking]
) -> list[str]:
    """Tell of label maps on disk that are not those that were scored."""
    remarks = []
    # Compare the score on disk with the noted one
    for run in group:
        for result in run.shown:
            ranking = rankings.get(_key(result))
            noted = result.score('mIoU')
            if ranking is None or ranking.areas is None or noted is None:
                continue
            iou = intersection_over_union(ranking.areas)
            found = 100 * float(np.nanmean(iou))
            # Tell of more than rounding
            if abs(found - noted) > _ROUNDING:
                remarks.append(
                    f'The {result.title} of {run.run.name} on disk scores '
                    f'{found:.2f} % mIoU ({len(ranking.scores)} images), but '
                    f'its metrics.json says {noted:.2f}: the files are not '
                    'those of that run.'
                )
    return remarks
