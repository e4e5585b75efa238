# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmfmwsss.models.masks import build_small_sam
from mmfmwsss.structures import SAMMasks

SCRIPT = Path(__file__).parents[3] / 'tools/partworld/score_sam.py'
SMALL = dict(
    image_size=64,
    patch_size=8,
    encoder_width=12,
    encoder_depth=1,
    encoder_heads=3,
    decoder_width=16,
    decoder_heads=2,
    decoder_mlp=16,
)


@pytest.fixture(scope='module')
def score_sam():
    spec = importlib.util.spec_from_file_location('score_sam', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_best_iou_by_hand(score_sam):
    numbers = np.array([[1, 1, 0, 0], [1, 1, 0, 5]])
    masks = torch.zeros(2, 2, 4, dtype=torch.bool)
    masks[0, :, :3] = True  # 4 of 6
    masks[1, :, 0] = True  # 2 of 4
    ones = torch.ones(2)
    found = SAMMasks(masks, torch.tensor([2, 1]), ones, ones)
    iou = score_sam.best_iou(found, numbers)
    assert iou.tolist() == pytest.approx([4 / 6, 0])
    nothing = score_sam.best_iou(SAMMasks.empty((2, 4)), numbers)
    assert nothing.tolist() == [0, 0]


def test_prints_one_json_line(score_sam, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    save_file(
        build_small_sam(**SMALL).state_dict(), tmp_path / 'a.safetensors'
    )
    (tmp_path / 'a.json').write_text(json.dumps(dict(config=SMALL)))
    arguments = ['--images', '2', '--seed', '4', '--first', '0']
    checkpoint = ['--checkpoint', str(tmp_path / 'a.safetensors')]
    loose = ['--pred-iou-thresh', '-1', '--stability-score-thresh', '0']
    loose += ['--points-per-side', '3']
    monkeypatch.setattr(
        sys, 'argv', ['score_sam.py', *arguments, *checkpoint, *loose]
    )
    score_sam.main()
    result = json.loads(capsys.readouterr().out)
    assert result['images'] == 2
    assert result['points_per_side'] == 3
    assert result['masks_per_image'] > 0
    assert 0 <= result['whole_filtered_iou'] <= result['whole_iou'] <= 1
