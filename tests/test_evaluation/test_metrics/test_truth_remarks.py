# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Remarks below a mean IoU: by hand, and against a loop over the labels."""

import numpy as np
import pytest

from mmfmwsss.evaluation.metrics.truth_remarks import (
    absent_classes,
    mean_of_shown,
    truth_remarks,
)

NAMES = ('background', 'cat', 'dog', 'sea')


def areas(*columns: tuple[int, int, int]) -> np.ndarray:
    """Intersection, prediction and truth of each label."""
    return np.array(columns).T


def test_by_hand() -> None:
    # IoU 60 / (70 + 80 - 60); cat 10 / 40; dog predicted, sea nowhere
    found = areas((60, 70, 80), (10, 20, 30), (0, 20, 0), (0, 0, 0))
    assert absent_classes(NAMES, found) == ['dog', 'sea']
    mean = (60 / 90 + 10 / 40) / 2
    assert mean_of_shown(found) == pytest.approx(mean)
    first, second = truth_remarks(NAMES, found, ignored=5)
    assert '2 of 4 classes' in first and first.endswith('truth: dog, sea.')
    assert second.startswith('Of these dog are predicted')
    assert f'the mIoU is {100 * mean:.1f}.' in second


def test_mean_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = rng.integers(0, 3, 4) * 50
        prediction = rng.integers(0, 3, 4) * 50
        both = np.minimum(truth, prediction) // 2
        values = [
            both[n] / (truth[n] + prediction[n] - both[n])
            for n in range(4)
            if truth[n]
        ]
        found = mean_of_shown(np.stack([both, prediction, truth]))
        expected = np.mean(values) if values else np.nan
        assert found == pytest.approx(expected, nan_ok=True)


def test_nothing_is_said_where_every_class_is_shown() -> None:
    found = areas((9, 9, 9), (0, 0, 1), (0, 9, 9), (9, 9, 9))
    assert truth_remarks(NAMES, found, ignored=1000) == []
    # A class that is neither true nor predicted takes nothing away
    found[:, 1] = 0
    assert len(truth_remarks(NAMES, found, ignored=1000)) == 1


@pytest.mark.parametrize(
    ('ignored', 'cats', 'said'), [(75, 0, True), (0, 0, False), (75, 1, False)]
)
def test_black_and_white_masks_are_suspected(
    ignored: int, cats: int, said: bool
) -> None:
    found = areas((25, 25, 25), (cats,) * 3, (0, 0, 0), (0, 0, 0))
    *_, last = truth_remarks(NAMES, found, ignored, ignore_index=254)
    assert ('black-and-white masks of 0 and 254' in last) is said
    if said:
        assert '254 (75% of the pixels)' in last and "1 for 'cat'" in last
