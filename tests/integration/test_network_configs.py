# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The networks of VOC and COCO against the configs that mmseg installs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmseg
import pytest
from mmengine.config import Config

MODELS = Path(__file__).parents[2] / 'configs' / '_base_' / 'models'
MMSEG = Path(mmseg.__file__).parent / '.mim' / 'configs'
# Where weights are from, what depends on data set and crop.
MEANT = {
    '.backbone.init_cfg',
    '.backbone.init_cfg.checkpoint',
    '.pretrained',
    '.data_preprocessor.size',
    '.data_preprocessor.test_cfg',
    '.decode_head.num_classes',
    '.decode_head.loss_cls.class_weight',
}
# What theirs writes out and ours leaves to the default, which is the same.
DEFAULTS = {
    'attn_drop_rate': 0.0,
    'drop_rate': 0.0,
    'frozen_stages': -1,
    'qk_scale': None,
    'with_cp': False,
    'im2col_step': 64,
    'init_cfg': None,
    'norm_cfg': None,
    'dropout_layer': None,
    'add_identity': True,
}
NONE = object()


def differences(
    ours: Any, theirs: Any, path: str = ''
) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(
                ours.get(key, NONE), theirs.get(key, NONE), f'{path}.{key}'
            )
        return
    if isinstance(ours, tuple):
        ours = list(ours)
    if isinstance(theirs, tuple):
        theirs = list(theirs)
    if ours != theirs:
        yield path, ours, theirs


def is_meant(path: str, ours: Any, theirs: Any) -> bool:
    default = DEFAULTS.get(path.rpartition('.')[2], NONE)
    return path in MEANT or (ours is NONE and theirs == default)


@pytest.mark.parametrize(
    ('name', 'theirs'),
    [
        (
            'deeplabv3plus_r101',
            'deeplabv3plus/deeplabv3plus_r101-d8_4xb4-20k_voc12aug-512x512.py',
        ),
        (
            'mask2former_swin_l',
            'mask2former/mask2former_swin-l-in22k-384x384-pre_8xb2-160k_'
            'ade20k-640x640.py',
        ),
    ],
)
def test_networks_are_those_of_mmseg(name: str, theirs: str) -> None:
    if not (MMSEG / theirs).is_file():
        pytest.skip('this mmseg was installed without its configs')
    ours = Config.fromfile(MODELS / f'{name}.py').model.to_dict()
    reference = Config.fromfile(MMSEG / theirs).model.to_dict()
    found = [d for d in differences(ours, reference) if not is_meant(*d)]
    assert found == []
