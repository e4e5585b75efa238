# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark compares like with like."""

import importlib.util
from pathlib import Path

import numpy as np
import torch

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
    none = masks.filter(torch.arange(0))
    assert benchmark.share_equal(none, theirs) == 0
    assert benchmark.share_equal(none, np.zeros((0, 2, 2))) == 1
