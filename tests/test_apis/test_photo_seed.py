# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks of a photo: given or made, and always of its size."""

from typing import Any

import numpy as np
import pytest
import torch

from mmfmwsss.apis.photo_seed import GivenMasks, PhotoSeed, find_masks
from mmfmwsss.models.seeding import MaskDecisions
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

IMAGE = np.zeros((4, 6, 3), np.uint8)


class Corner:
    """A source that makes one mask of the upper left pixel."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: Any) -> SAMMasks:
        self.calls += 1
        masks = torch.zeros(1, *image.shape[:2], dtype=torch.bool)
        masks[:, 0, 0] = True
        one = torch.ones(1)
        return SAMMasks(masks, one.long(), one, one)

    def settings(self) -> dict[str, Any]:
        return {}


def test_masks_are_made_only_where_none_are_given() -> None:
    source = Corner()
    made = find_masks(source, IMAGE, None)
    assert source.calls == 1
    for given in (made, made.masks.numpy(), made.masks):
        found = find_masks(source, IMAGE, given)
        assert torch.equal(found.masks, made.masks)
    empty = find_masks(source, IMAGE, SAMMasks.empty((4, 6)))
    assert len(empty) == 0 and source.calls == 1


@pytest.mark.parametrize('size', [(6, 4), (4, 5), (8, 12)])
def test_masks_of_another_photo(size: tuple[int, int]) -> None:
    with pytest.raises(UserInputError, match=r'of the .*image.*\(4, 6\)'):
        find_masks(Corner(), IMAGE, SAMMasks.empty(size))


def test_nothing_that_makes_masks() -> None:
    source = GivenMasks()
    assert source.settings() == {}
    given = SAMMasks.empty((4, 6))
    assert len(find_masks(source, IMAGE, given)) == 0
    with pytest.raises(UserInputError, match='Give `masks`'):
        find_masks(source, IMAGE, None)


@pytest.mark.parametrize(
    ('labels', 'expected'), [((), (1, 2)), ((7, 3), (7, 3))]
)
def test_tags_are_numbered_unless_they_have_labels(
    labels: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    nothing = MaskDecisions(
        torch.zeros(0, 3), torch.zeros(0).long(), torch.zeros(0)
    )
    seed = PhotoSeed(
        ('cat', 'dog'),
        {},
        torch.zeros(2, 4, 6),
        SAMMasks.empty((4, 6)),
        nothing,
        torch.zeros(4, 6, dtype=torch.uint8),
        labels=labels,
    )
    assert seed.labels == expected
