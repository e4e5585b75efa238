# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Weights that do not fit, by hand."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmfmwsss.models.masks.sam_weights import (
    OFFICIAL_FILES,
    OFFICIAL_WIDTHS,
    check_fit,
    remedy_for,
)
from mmfmwsss.utils import UserInputError

FILE = Path('sam.pth')


def sam(width: int, **more: Tensor) -> dict[str, Tensor]:
    state = {
        'image_encoder.pos_embed': torch.zeros(1, 2, 2, width),
        'mask_decoder.bias': torch.zeros(3),
        'prompt_encoder.bias': torch.zeros(4),
    }
    return {**state, **more}


def message_of(expected: dict[str, Tensor], state: dict[str, Tensor]) -> str:
    with pytest.raises(UserInputError) as error:
        check_fit(expected, state, FILE, 'vit_h')
    return str(error.value)


def test_weights_of_the_same_names_and_shapes_fit() -> None:
    for width in (24, *OFFICIAL_WIDTHS):
        check_fit(sam(width), sam(width), FILE, 'vit_h')


def test_differences_are_counted_and_named() -> None:
    state = sam(1280, new=torch.zeros(1), other=torch.zeros(1))
    del state['prompt_encoder.bias']
    state['mask_decoder.bias'] = torch.zeros(1, 3)
    message = message_of(sam(1280), state)
    for part in (
        'the weights of vit_h in sam.pth, found those of vit_h',
        '1 of 3 entries are missing (e.g. prompt_encoder.bias)',
        '2 are unknown (e.g. new)',
        '1 have another shape (e.g. mask_decoder.bias)',
    ):
        assert part in message


@pytest.mark.parametrize(
    ('state', 'found'),
    [
        (sam(768), 'those of vit_b'),
        (sam(1024), 'those of vit_l'),
        (sam(24), 'a SAM of encoder width 24'),
        ({'a': torch.zeros(1)}, '1 weights that are not a SAM'),
        (
            {
                'image_encoder.patch_embed.conv1.conv.weight': torch.zeros(1),
            },
            'those of vit_t (MobileSAM)',
        ),
    ],
    ids=['vit_b', 'vit_l', 'small', 'none', 'vit_t'],
)
def test_other_networks_are_recognised(
    state: dict[str, Tensor], found: str
) -> None:
    assert f'found {found}: ' in message_of(sam(1280), state)


def test_remedies() -> None:
    for arch, file in OFFICIAL_FILES.items():
        assert f'Get the official {file} ' in remedy_for(arch)
    assert 'get_weights.py sam_vit_l`' in remedy_for('vit_l')
    assert 'get_weights.py mobile_sam`' in remedy_for('vit_t')
    assert 'made with the same sizes' in remedy_for(dict(image_size=64))
