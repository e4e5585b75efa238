# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Images are scored as the metric scores them."""

import numpy as np
import pytest

from mmfmwsss.evaluation.metrics import class_areas, intersection_over_union
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.report import find_runs
from mmfmwsss.workshop.report.image_sheets import choose_images
from mmfmwsss.workshop.report.label_maps import (
    open_image_set,
    rank,
    score_image,
)


def test_score_by_hand():
    truth = np.array([[0, 0, 1, 1], [0, 0, 255, 1]])
    labels = np.array([[0, 0, 1, 0], [0, 2, 1, 0]])
    areas = class_areas(labels, truth, 4)
    # background 3 of 6, class 1 1 of 3, class 2 0 of 1; class 3 not at all
    expected = 100 * (3 / 6 + 1 / 3 + 0) / 3
    assert score_image(labels, areas) == pytest.approx(expected)
    assert score_image(labels, None) == pytest.approx(100 * 3 / 8)
    assert score_image(truth, np.zeros((3, 4))) == 100.0  # all ignored


def test_ranking(seed_run, partworld_root):
    (run,) = find_runs([seed_run])
    images = open_image_set(run)
    ranking = rank(run.results[0], images)
    assert ranking.scores[0] == 100.0
    assert ranking.order[-1] == 0
    values = [ranking.scores[i] for i in ranking.order]
    assert values == sorted(values) and len(values) == 6
    total = np.zeros((3, len(images.classes)), np.int64)
    for path in (seed_run / 'fine_seed').glob('*.png'):
        truth = read_label_png(
            partworld_root / 'SegmentationClass' / path.name
        )
        total += class_areas(read_label_png(path), truth, total.shape[1])
    found = intersection_over_union(ranking.areas)
    np.testing.assert_array_equal(found, intersection_over_union(total))


def test_without_truth_foreground_counts(unscored_run):
    (run,) = find_runs([unscored_run])
    ranking = rank(run.results[0], open_image_set(run))
    assert ranking.areas is None
    labels = read_label_png(unscored_run / 'fine_seed' / 'train_0003.png')
    assert ranking.scores[3] == pytest.approx(100 * (labels > 0).mean())


def test_missing_label_maps_are_left_out(seed_run):
    (seed_run / 'fine_seed' / 'train_0002.png').unlink()
    (run,) = find_runs([seed_run])
    ranking = rank(run.results[0], open_image_set(run))
    assert sorted(ranking.scores) == [0, 1, 3, 4, 5]


def test_half_the_worst_and_a_spread_up_to_the_best():
    order = list(range(100, 200))
    chosen = choose_images(order, 10)
    assert chosen[:5] == [100, 101, 102, 103, 104]
    assert chosen[-1] == 199 and len(set(chosen)) == 10
    gaps = np.diff(chosen[4:])
    assert gaps.min() >= 18 and gaps.max() <= 20
    assert choose_images(order, 100) == choose_images(order, 500) == order
    for count in range(1, 100):
        chosen = choose_images(order, count)
        assert len(set(chosen)) == count and chosen == sorted(chosen)
