# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The explanation of a seed."""

import numpy as np
import pytest
import torch

from mmfmwsss.models.seeding import SAMS
from mmfmwsss.structures import SAMMasks
from mmfmwsss.visualization.explain import (
    explain_masks,
    explanation_picture,
    explanation_table,
    paint_decisions,
)

NAMES = ['background', 'cat']


@pytest.fixture
def case():
    masks = torch.zeros(3, 10, 12, dtype=torch.bool)
    masks[0, 1:5, 1:5] = True  # part, on the cat
    masks[1, 1:9, 1:7] = True  # whole, the cat
    masks[2, 1:9, 8:12] = True  # whole, elsewhere
    record = SAMMasks(
        masks, torch.tensor([1, 2, 2]), torch.ones(3), torch.ones(3)
    )
    cams = torch.full((1, 10, 12), -1.0)
    cams[0, 1:9, 1:7] = 2.0
    return cams, record, SAMS().decide(cams, record)


def test_rows_by_hand(case):
    _, masks, decisions = case
    rows = explain_masks(masks, decisions, NAMES)
    assert [row.index for row in rows] == [2, 1, 0]
    assert [row.level for row in rows] == ['whole', 'whole', 'part']
    assert [row.decision for row in rows] == ['background', 'cat', 'cat']
    assert [row.area for row in rows] == [32, 48, 16]
    assert [row.visible for row in rows] == [32, 48, 0]
    assert rows[0].scores == (1.0, 0.0) and rows[1].confidence == 1.0


def test_table(case):
    _, masks, decisions = case
    rows = explain_masks(masks, decisions, NAMES)
    table = explanation_table(rows, NAMES).splitlines()
    head = '| mask | level | pixels | visible | background | cat | decision |'
    assert table[0] == head
    assert table[2] == '| 2 | whole | 32 | 32 | 1.000 | 0.000 | background |'
    assert len(table) == 5


def test_picture(case):
    cams, masks, decisions = case
    image = np.full((10, 12, 3), 100, np.uint8)
    palette = [(0, 0, 0), (0, 0, 0), (250, 0, 0)]
    seed = SAMS()(cams, torch.tensor([1]), masks)
    picture = explanation_picture(
        image, cams, masks, decisions, seed, NAMES, [2], palette, cell=60
    )
    # image, CAM, whole and part in a row, then the seed: no sub-parts
    assert picture.dtype == np.uint8
    assert 4 * 60 < picture.shape[1] < 5 * 60
    # both rows as high as their pictures, heads and names, and two lines below
    assert picture.shape[0] == 2 * (24 + 50 + 24) + 2 * 24 + 8
    # the legend: grey for the background, red for the class
    colours = {tuple(pixel) for pixel in picture[-50:, 6:30].reshape(-1, 3)}
    assert colours >= {(150, 150, 150), (250, 0, 0)}
    empty = SAMMasks.empty((10, 12))
    nothing = SAMS().decide(cams, empty)
    assert explain_masks(empty, nothing, NAMES) == []
    bare = explanation_picture(
        image, cams, empty, nothing, seed * 0, NAMES, [2], palette, cell=60
    )
    assert bare.shape[1] < picture.shape[1]  # three panels are left


def test_colours_of_a_level(case):
    _, _, decisions = case
    masks = torch.zeros(3, 80, 99, dtype=torch.bool)
    masks[1, :, :70] = True
    record = SAMMasks(
        masks, torch.tensor([1, 2, 2]), torch.ones(3), torch.ones(3)
    )
    image = np.zeros((80, 99, 3), np.uint8)
    colours = [(9, 9, 9), (200, 0, 0)]
    whole = paint_decisions(image, record, decisions, colours, 2)
    assert whole[:, 70:].max() == 0
    assert (whole[3, 1:69] == (100, 0, 0)).all()
    assert (whole[3, 69] == 255).all()
    part = paint_decisions(image, record, decisions, colours, 0)
    assert part.max() == 0
    # A mask on top: a border between the two, and room for both numbers.
    masks[2, :, :35] = True
    both = paint_decisions(image, record, decisions, colours, 2)
    assert (both[3, 34] == 255).all()
    assert (both == 255).sum() > (whole == 255).sum()


def test_a_photo_without_classes_has_a_picture():
    """Of a CAM file without a class: all masks are background."""
    image = np.full((40, 60, 3), 200, np.uint8)
    masks = SAMMasks(
        torch.ones(1, 40, 60) > 0,
        torch.tensor([2]),
        torch.ones(1),
        torch.ones(1),
    )
    cams = torch.zeros(0, 40, 60)
    picture = explanation_picture(
        image,
        cams,
        masks,
        SAMS().decide(cams, masks),
        torch.zeros(40, 60, dtype=torch.uint8),
        ['background'],
        [],
        [(0, 0, 0)],
    )
    assert picture.dtype == np.uint8 and picture.shape[1] > 3 * 320


def test_needs_all_names(case):
    _, masks, decisions = case
    with pytest.raises(ValueError, match='names must be 2'):
        explain_masks(masks, decisions, ['cat'])
