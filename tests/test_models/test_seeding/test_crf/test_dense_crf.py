# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The CRF as a seeder."""

import importlib.util

import pytest
import torch

from mmfmwsss.models.seeding.argmax import cam_scores
from mmfmwsss.models.seeding.crf import dense_crf as module
from mmfmwsss.models.seeding.crf.dense_crf import DenseCRF, wrapped_bgr
from mmfmwsss.utils import UserInputError


def two_halves():
    image = torch.zeros(24, 30, 3, dtype=torch.uint8)
    image[:, 15:] = 200
    cams = torch.zeros(1, 24, 30)
    cams[0, 6:18, 17:28] = 1  # inside the bright half
    cams[0, 2, 2] = 0.6  # a speck in the dark one
    return cams, torch.tensor([4]), image


def test_follows_the_edge_and_drops_the_speck():
    cams, classes, image = two_halves()
    seed = DenseCRF(backend='torch')(cams, classes, image=image)
    assert seed.dtype == torch.uint8
    assert set(seed.unique().tolist()) == {0, 5}
    assert (seed[:, :15] == 0).all()
    assert (seed[8:16, 19:26] == 5).all()


def test_ignores_unsure_pixels():
    cams, classes, image = two_halves()
    crf = DenseCRF(backend='torch', ignore_threshold=0.95)
    seed = crf(cams, classes, image=image)
    posterior = crf.posterior(cam_scores(cams), image)
    assert torch.equal(seed == 255, posterior.amax(0) < 0.95)


def test_limits():
    _, classes, image = two_halves()
    crf = DenseCRF(backend='torch')
    assert (crf(torch.zeros(1, 24, 30), classes, image=image) == 0).all()
    none = torch.zeros(0, 24, 30)
    assert (crf(none, classes[:0], image=image) == 0).all()
    full = torch.ones(1, 24, 30)
    assert (crf(full, classes, image=image) == 5).all()
    sure = torch.stack([full[0] * 0.1, full[0] * 0.9])
    assert (crf.refine(sure, image=image) == 1).all()


def test_wrapped_bgr_by_hand():
    pixel = torch.tensor([[[255, 116, 0]]], dtype=torch.uint8)  # R G B
    # B 0 - 104.008 -> -104 -> 152; G -0.669 -> 0; R 132.325 -> 132
    assert wrapped_bgr(pixel).tolist() == [[[152, 0, 132]]]


def test_official_changes_the_colours():
    cams, _, image = two_halves()
    seen = []

    def spy(unary, image, kernels, iterations, official):
        seen.append((image, official))
        return unary

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 'dense_crf_posterior', spy)
        DenseCRF(backend='torch', official=True).posterior(cams, image)
        DenseCRF(backend='torch').posterior(cams, image)
    assert torch.equal(seen[0][0], wrapped_bgr(image))
    assert torch.equal(seen[1][0], image)
    assert [official for _, official in seen] == [True, False]


def test_checks(monkeypatch):
    cams, classes, image = two_halves()
    with pytest.raises(ValueError, match='backend must be'):
        DenseCRF(backend='fast')
    with pytest.raises(UserInputError, match='needs the RGB image'):
        DenseCRF()(cams, classes)
    with pytest.raises(UserInputError, match='image of shape'):
        DenseCRF()(cams, classes, image=image[1:])
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(UserInputError, match='pip install pydensecrf2'):
        DenseCRF(backend='pydensecrf')
    assert DenseCRF(kernels=dict(colour_sigma=5)).kernels.colour_sigma == 5


def test_agrees_with_pydensecrf():
    pytest.importorskip('pydensecrf')
    cams, _, image = two_halves()
    scores = cam_scores(cams)
    ours = DenseCRF(backend='torch').posterior(scores, image)
    theirs = DenseCRF(backend='pydensecrf').posterior(scores, image)
    agreement = (ours.argmax(0) == theirs.argmax(0)).float().mean()
    assert agreement > 0.98


def test_the_defaults_are_those_of_clip_es():
    crf = DenseCRF()
    assert (crf.alpha, crf.normalise, crf.iterations) == (1.0, True, 10)
    assert crf.kernels._asdict() == dict(
        position_weight=3.0,
        position_sigma=1.0,
        bilateral_weight=4.0,
        bilateral_sigma=67.0,
        colour_sigma=3.0,
    )


def test_a_pixel_that_reaches_the_threshold_is_kept(monkeypatch):
    posterior = torch.tensor([[[0.5, 0.25]], [[0.25, 0.75]]])
    monkeypatch.setattr(DenseCRF, 'posterior', lambda *args: posterior)
    image = torch.zeros(1, 2, 3, dtype=torch.uint8)
    crf = DenseCRF(backend='torch', ignore_threshold=0.75)
    assert crf.refine(posterior, image=image).tolist() == [[255, 1]]
