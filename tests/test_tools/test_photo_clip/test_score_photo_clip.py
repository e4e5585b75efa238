# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The score of the photo CLIP."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmfmwsss.models.clip import FrozenCLIP

SCRIPT = Path(__file__).parents[3] / 'tools/photo_clip/score.py'


@pytest.fixture(scope='module')
def score():
    spec = importlib.util.spec_from_file_location('score_photo_clip', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_labels_by_hand(score):
    values = np.array([[0, 8, 12], [3, 255, 8]], np.uint8)
    labels = score.to_labels(values, [12, 8])
    assert labels.tolist() == [[0, 2, 1], [0, 255, 2]]


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        ((500, 375), (384, 288)),
        ((100, 200), (192, 384)),
        ((1000, 5), (384, 16)),
    ],
)
def test_sizes_fit_the_patches(score, size, expected):
    assert score.fitting_size(*size, 384) == expected


def test_a_perfect_map_scores_100(score, tmp_path, monkeypatch, capsys):
    for name in ('a', 'b'):
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(
            tmp_path / f'{name}.jpg'
        )
        mask = np.zeros((32, 32), np.uint8)
        mask[:, 16:] = 9
        Image.fromarray(mask).save(tmp_path / f'{name}.png')
    (tmp_path / 'labels.json').write_text(
        json.dumps({'a.jpg': ['cat'], 'b.jpg': ['cat']})
    )
    (tmp_path / 'classes.json').write_text(
        json.dumps({'classes': ['cat'], 'background': ['sea']})
    )

    def perfect(self, photo, present):
        half = torch.zeros(1, 32, 32)
        half[..., 16:] = 1
        return 0, dict(cam=half, caa=1 - half)

    monkeypatch.setattr(score.Scorer, '__call__', perfect)
    monkeypatch.setattr(
        score, 'FrozenCLIP', lambda arch, *_, **__: FrozenCLIP(arch)
    )
    arguments = [str(tmp_path), '--labels', str(tmp_path / 'labels.json')]
    arguments += ['--classes', str(tmp_path / 'classes.json')]
    arguments += ['--masks', str(tmp_path), '--values', '9', '--alphas', '2']
    monkeypatch.setattr(sys, 'argv', ['score.py', *arguments])
    assert score.main() == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found['photos'] == 2
    assert found['top_class_is_a_tag'] == 1
    assert found['miou'] == dict(cam={'2.0': 100.0}, caa={'2.0': 0.0})
