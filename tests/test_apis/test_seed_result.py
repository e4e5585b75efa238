# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The result of a photo by hand: numbers, files and mmseg's sample."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mmfmwsss.apis.photo_seed import PhotoSeed
from mmfmwsss.apis.seed_result import SeedFailure, SeedResult
from mmfmwsss.models.seeding import SAMS
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils.palette_png import read_label_png, voc_palette

TAGS = ('cat', 'traffic light/pole')


def make_result(labels: tuple[int, ...] = (), tags: Any = TAGS) -> SeedResult:
    """A photo of 4 x 6 pixels, whose halves are two masks."""
    halves = torch.zeros(2, 4, 6, dtype=torch.bool)
    halves[0, :, :3], halves[1, :, 3:] = True, True
    masks = SAMMasks(halves, torch.tensor([2, 1]), *torch.ones(2, 2))
    cams = halves.float()[: len(tags)]
    numbers = torch.tensor(labels or range(1, 1 + len(tags)))
    made = PhotoSeed(
        tags=tags,
        scores=dict(cat=0.7, sea=0.3),
        cams=cams,
        masks=masks,
        decisions=SAMS().decide(cams, masks),
        seed=SAMS()(cams, numbers - 1, masks),
        seconds=dict(masks=0.5),
        labels=labels,
    )
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    return SeedResult('a', '/x/a.jpg', pixels, made, voc_palette())


def test_numbers_by_hand() -> None:
    result = make_result()
    assert result.seed.tolist() == [[1, 1, 1, 2, 2, 2]] * 4
    assert result.shares == {'cat': 0.5, 'traffic light/pole': 0.5}
    assert result.mask_levels.tolist() == [2, 1]
    assert result.masks.sum(axis=(1, 2)).tolist() == [12, 12]
    assert result.decisions['winner'].tolist() == [1, 2]
    assert result.decisions['scores'].shape == (2, 3)
    assert (result.seconds, result.scores['sea']) == (dict(masks=0.5), 0.3)
    assert repr(result) == (
        "SeedResult('a': cat 50%, traffic light/pole 50% of the photo)"
    )


def test_labels_of_a_data_set_take_the_place_of_numbers() -> None:
    plain, numbered = make_result(), make_result((8, 3))
    assert numbered.shares == plain.shares
    table = np.array([0, 8, 3])
    np.testing.assert_array_equal(numbered.seed, table[plain.seed])


def test_files(tmp_path: Path) -> None:
    result = make_result((8, 3))
    result.save(tmp_path / 'new')
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == [
        'a_cam_cat.jpg',
        'a_cam_traffic_light_pole.jpg',
        'a_overlay.jpg',
        'a_seed.png',
        'a_why.png',
    ]
    seed = read_label_png(tmp_path / 'new' / 'a_seed.png')
    np.testing.assert_array_equal(seed, result.seed)
    with Image.open(tmp_path / 'new' / 'a_why.png') as why:
        np.testing.assert_array_equal(why, result.explain())


def test_a_notebook_shows_the_overlay() -> None:
    result = make_result()
    with Image.open(io.BytesIO(result._repr_png_())) as shown:
        np.testing.assert_array_equal(shown, result.overlay)
    assert result.overlay is result.overlay  # drawn once


def test_sample_of_mmseg() -> None:
    result = make_result((8, 3))
    sample = result.to_data_sample()
    labels = sample.pred_sem_seg.data
    assert labels.dtype == torch.int64 and labels.shape == (1, 4, 6)
    np.testing.assert_array_equal(labels[0], result.seed)
    np.testing.assert_array_equal(sample.cams.data, result.cams)
    assert torch.equal(sample.sam_masks.masks, torch.from_numpy(result.masks))
    meta = sample.metainfo
    assert (meta['img_path'], meta['image_name']) == ('/x/a.jpg', 'a')
    assert (meta['tags'], meta['labels']) == (TAGS, (8, 3))


def test_a_photo_that_shows_nothing() -> None:
    result = make_result(tags=())
    assert not result.seed.any() and result.shares == {}
    assert 'cams' not in result.to_data_sample()
    assert result.overlay.ndim == 3


@pytest.mark.parametrize('name', ['a', 'k/b'])
def test_a_failure_names_its_photo(name: str) -> None:
    failure = SeedFailure(name, 'Give tags.')
    assert repr(failure) == f"SeedFailure('{name}': Give tags.)"
