# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
from dataclasses import asdict

import pytest
import torch
from mmseg.registry import TASK_UTILS

from mmfmwsss.models.masks import (
    EverythingSettings,
    SAMEverything,
    filter_by_occupation,
    generate_masks,
)
from mmfmwsss.utils import UserInputError

SMALL = dict(
    image_size=64,
    patch_size=8,
    encoder_width=24,
    encoder_depth=1,
    encoder_heads=3,
    decoder_width=32,
    decoder_heads=4,
    decoder_mlp=32,
)
LOOSE = dict(
    points_per_side=5,
    pred_iou_thresh=-1.0,
    stability_score_thresh=0.0,
    crop_n_layers=0,
    min_mask_region_area=5,
)


@pytest.fixture
def config(sam, tmp_path):
    torch.save(sam.state_dict(), tmp_path / 'small.pth')
    return dict(
        type='SAMEverything',
        arch=SMALL,
        checkpoint=str(tmp_path / 'small.pth'),
        **LOOSE,
    )


def test_is_everything_mode_and_filter(config, sam, image):
    plain = generate_masks(sam, image, EverythingSettings(**LOOSE))
    source = TASK_UTILS.build(dict(config, occupation_threshold=None))
    assert torch.equal(source(image).masks, plain.masks)
    source = TASK_UTILS.build(config)
    expected = filter_by_occupation(plain, 0.3)
    assert 0 < len(expected) < len(plain)
    assert torch.equal(source(image).masks, expected.masks)


def test_batches_and_network_change_memory_and_time_only(config, image):
    expected = TASK_UTILS.build(config)(image)
    small = dict(config, points_per_batch=7, masks_per_batch=1)
    assert torch.equal(TASK_UTILS.build(small)(image).masks, expected.masks)
    plain = TASK_UTILS.build(dict(config, fast_network=False))(image)
    # Rounding may turn a pixel whose logit is zero.
    assert (plain.masks ^ expected.masks).sum() <= 2


def test_settings_hold_what_decides_the_masks(config, sam, tmp_path):
    source = TASK_UTILS.build(config)
    # Masks made before there were rounds of points stay current.
    assert 'skip_covered_points' not in source.settings()
    rounds = TASK_UTILS.build(dict(config, skip_covered_points=True))
    assert rounds.settings() == dict(
        source.settings(), skip_covered_points=True
    )
    same = TASK_UTILS.build(dict(config, points_per_batch=7))
    assert source.settings() == same.settings()
    other = TASK_UTILS.build(dict(config, whole_iou_bonus=0.2))
    assert source.settings() != other.settings()
    state = sam.state_dict()
    state['mask_decoder.iou_token.weight'] = torch.ones(1, 32)
    torch.save(state, tmp_path / 'small.pth')
    assert source.settings() != TASK_UTILS.build(config).settings()


def test_the_defaults_are_the_papers():
    source = SAMEverything(SMALL, None)
    everything = asdict(EverythingSettings())
    assert everything.pop('skip_covered_points') is False
    assert source.settings() == dict(
        arch=SMALL,
        weights=None,
        occupation_threshold=0.3,
        **everything,
    )


def test_unknown_setting():
    with pytest.raises(UserInputError, match='no_such_thing'):
        SAMEverything(SMALL, None, no_such_thing=3)
