# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark compares like with like."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

PATH = Path(__file__).parents[3] / 'tools' / 'benchmarks' / 'sams.py'
SPEC = importlib.util.spec_from_file_location('sams_benchmark', PATH)
benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(benchmark)


def test_seeders(monkeypatch):
    monkeypatch.setattr(benchmark, 'SIZE', (40, 50))
    monkeypatch.setattr(benchmark, 'MASKS', 9)
    result = benchmark.time_seeders('cpu', repeats=1)
    assert result['sams_equals_loop'] == 1
    assert min(result[f'{name}_ms'] for name in ('sams', 'loop', 'crf')) > 0


def test_share_of_equal_masks():
    masks = benchmark.discs('cpu').filter(torch.arange(4))
    theirs = masks.masks.numpy().copy()
    assert benchmark.share_equal(masks, theirs) == 1
    theirs[0] = False
    theirs[0, :5, :5] = True
    assert benchmark.share_equal(masks, theirs) == 0.75
    empty = masks.filter(torch.arange(2))
    empty.masks = torch.zeros_like(empty.masks)
    assert benchmark.share_equal(empty, theirs) == 0
    assert benchmark.share_equal(empty, empty.masks.numpy()) == 1
    none = masks.filter(torch.arange(0))
    assert benchmark.share_equal(none, theirs) == 0
    assert benchmark.share_equal(none, np.zeros((0, 2, 2))) == 1


@pytest.mark.slow
def test_prints_one_line_with_every_figure(monkeypatch, capsys):
    """With a small SAM in the place of the ViT-B."""
    monkeypatch.setattr(benchmark, 'SIZE', (60, 80))
    monkeypatch.setattr(benchmark, 'MASKS', 9)
    quick = dict(points_per_side=6, crop_n_layers=0)
    monkeypatch.setattr(benchmark, 'TINY', benchmark.TINY | quick)
    build = benchmark.build_sam

    def build_small(arch, checkpoint):
        if arch != 'vit_b':
            return build(arch, checkpoint)
        assert checkpoint is None
        config = Config.fromfile(
            PATH.parents[2] / 'configs/fmwsss/partworld_sam_masks.py'
        )
        return build(config.model.source.arch, None)

    monkeypatch.setattr(benchmark, 'build_sam', build_small)
    benchmark.main(
        ['--repeats', '1', '--everything-repeats', '1', '--vit-b-points', '6']
    )
    (line,) = capsys.readouterr().out.strip().splitlines()
    result = json.loads(line)
    for name in (
        'sams_ms', 'loop_ms', 'crf_ms', 'everything_speedup',
        'everything_speedup_vit_b', 'peak_mb',
    ):  # fmt: skip
        assert result[name] > 0
    assert result['masks_equal'] == 1
    assert result['everything_tiny']['masks'] > 3
    assert result['everything_vit_b']['masks'] > 3
