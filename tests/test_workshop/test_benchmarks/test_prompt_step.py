# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark of the prompt step compares like with like."""

import pytest
import torch

from mmfmwsss.workshop.benchmarks import Settings
from mmfmwsss.workshop.benchmarks.comparison import relative_difference
from mmfmwsss.workshop.benchmarks.prompt_step import (
    build_model,
    compare,
    compare_prompt_steps,
    make_batch,
    our_cams,
)
from mmfmwsss.workshop.benchmarks.slow_prompt_step import Straightforward
from mmfmwsss.workshop.tiny_models import random_clip_arch


@pytest.fixture(scope='module')
def model():
    found = build_model(random_clip_arch())
    for name, parameter in found.clip.named_parameters():
        if parameter.ndim >= 1 and 'token_embedding' not in name:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return found


def test_both_steps_are_one(model):
    found = compare(model, *make_batch(3, 32))
    assert found['maps'] < 1e-5
    assert found['gradients'] < 1e-5
    assert found['losses'] < 1e-4


def test_all_ways_are_timed():
    (row,) = compare_prompt_steps(Settings(quick=True))
    assert list(row.times) == [
        'ours', 'straightforward', 'released code', 'ours, trunk cached',
    ]  # fmt: skip
    assert min(time.wall for time in row.times.values()) > 0
    assert min(row.notes['parts in s'].values()) >= 0
    ratio, bound = (
        row.notes[name]
        for name in ('straightforward over ours', 'over the trunk alone')
    )
    assert bound > ratio > 1


def test_the_released_way_has_the_same_maps(model):
    images, samples = make_batch(3, 32)
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
            Straightforward(model),
            Straightforward(model, released=True),
        )
    ]
    ours = our_cams(model, images, labels).detach()
    for theirs in cams:
        assert relative_difference(ours, theirs) < 1e-5
