# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark compares like with like."""

import importlib.util
from pathlib import Path

import pytest
import torch

from mmfmwsss.workshop.tiny_models import random_clip_arch

PATH = Path(__file__).parents[3] / 'tools' / 'benchmarks' / 'prompt_step.py'
SPEC = importlib.util.spec_from_file_location('prompt_step_benchmark', PATH)
benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(benchmark)


@pytest.fixture(scope='module')
def model():
    found = benchmark.build_model(random_clip_arch())
    for name, parameter in found.clip.named_parameters():
        if parameter.ndim >= 1 and 'token_embedding' not in name:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return found


def test_both_steps_are_one(model):
    found = benchmark.run(model, batch=3, side=32, released=True)
    assert found['cam_rel_diff'] < 1e-5
    assert found['grad_rel_diff'] < 1e-5
    assert found['loss_rel_diff'] < 1e-4
    times = found['times']
    assert set(times) == {'ours', 'straightforward', 'cached', 'released'}
    assert min(times.values()) > 0
    assert min(found['parts'].values()) >= 0


def test_the_released_way_has_the_same_maps(model):
    images, samples = benchmark.make_batch(3, 32)
    labels = torch.stack([s.image_labels for s in samples])
    assert labels.sum(dim=1).tolist() == [1, 2, 1]
    seeds = torch.cat([s.gt_sem_seg.data for s in samples])
    assert seeds.shape == (3, 32, 32)
    for seed, row in zip(seeds, labels, strict=True):
        allowed = {0, *(row.nonzero()[:, 0] + 1).tolist()}
        assert set(seed.unique().tolist()) <= allowed
    cams = [
        slow.cams(images, labels, slow.text())[0].detach()
        for slow in (
            benchmark.Straightforward(model),
            benchmark.Straightforward(model, released=True),
        )
    ]
    ours = benchmark.our_cams(model, images, labels).detach()
    for theirs in cams:
        assert benchmark.relative(ours, theirs) < 1e-5
