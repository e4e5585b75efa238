# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The CRF against mean field with the full N x N kernels."""

import pytest
import torch

from mmfmwsss.models.seeding.crf.mean_field import (
    CRFKernels,
    dense_crf_posterior,
    gaussian_filter,
    unary_energy,
)


def slow_kernel(features):
    kernel = torch.exp(-0.5 * torch.cdist(features, features) ** 2)
    scale = kernel.sum(1).rsqrt()
    return scale[:, None] * kernel * scale


def slow_crf(unary, image, kernels, iterations=10):
    """Mean field over all pairs of pixels, in double precision."""
    labels, height, width = unary.shape
    y, x = torch.meshgrid(
        torch.arange(height), torch.arange(width), indexing='ij'
    )
    place = torch.stack([y, x], -1).flatten(0, 1).double()
    colour = image.flatten(0, 1).double() / kernels.colour_sigma
    smooth = slow_kernel(place / kernels.position_sigma)
    both = torch.cat([place / kernels.bilateral_sigma, colour], 1)
    similar = slow_kernel(both)
    energy = unary.double().flatten(1).T
    q = (-energy).softmax(1)
    for _ in range(iterations):
        message = kernels.position_weight * smooth @ q
        message += kernels.bilateral_weight * similar @ q
        q = (message - energy).softmax(1)
    return q.T.view(labels, height, width)


def smooth_image(size, seed):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 5, generator=generator) * 255
    image = torch.nn.functional.interpolate(coarse, size, mode='nearest')
    noise = torch.randint(-2, 3, (3, *size), generator=generator)
    return (image[0] + noise).clamp(0, 255).to(torch.uint8).permute(1, 2, 0)


@pytest.mark.parametrize('labels', [2, 3])
@pytest.mark.parametrize('seed', range(3))
def test_agrees_with_brute_force(seed, labels):
    size = (36, 44)
    image = smooth_image(size, seed)
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(1, labels, 6, 7, generator=generator)
    scores = torch.nn.functional.interpolate(scores, size, mode='bilinear')[0]
    unary = unary_energy(scores)
    exact = slow_crf(unary, image, CRFKernels())
    ours = dense_crf_posterior(unary, image)
    torch.testing.assert_close(ours.sum(0), torch.ones(size))
    agreement = (ours.argmax(0) == exact.argmax(0)).float().mean()
    assert agreement > 0.93
    assert (ours - exact).abs().mean() < 0.05
    # the CRF does something: its input is further from the exact result
    before = (scores.argmax(0) == exact.argmax(0)).float().mean()
    assert before < 0.9 and 1 - agreement < (1 - before) / 3


def test_position_kernel_alone_is_exact():
    kernels = CRFKernels(bilateral_weight=0.0, position_sigma=1.5)
    image = smooth_image((14, 11), 0)
    unary = unary_energy(torch.rand(3, 14, 11))
    exact = slow_crf(unary, image, kernels).float()
    torch.testing.assert_close(
        dense_crf_posterior(unary, image, kernels), exact, atol=1e-4, rtol=1e-3
    )


def test_gaussian_filter_of_a_point():
    values = torch.zeros(1, 9, 9)
    values[0, 4, 4] = 1
    out = gaussian_filter(values, 2.0)[0]
    assert out[4, 4] == 1
    torch.testing.assert_close(out[4, 6], torch.tensor(-0.5).exp())
    torch.testing.assert_close(out[2, 6], torch.tensor(-1.0).exp())


@pytest.mark.parametrize('size', [(9, 14), (3, 1)])
def test_gaussian_filter_is_a_convolution(size):
    values = torch.randn(2, *size, generator=torch.Generator().manual_seed(0))
    kernel = torch.exp(-0.5 * (torch.arange(-8, 9) / 1.5) ** 2)
    kernel = kernel[:, None] * kernel
    expected = torch.nn.functional.conv2d(
        values[:, None], kernel[None, None], padding=8
    )[:, 0]
    torch.testing.assert_close(gaussian_filter(values, 1.5), expected)


def test_no_iterations_is_the_softmax():
    unary = torch.rand(2, 5, 5)
    image = smooth_image((5, 5), 1)
    out = dense_crf_posterior(unary, image, iterations=0)
    torch.testing.assert_close(out, (-unary).softmax(0))


# Labels by pydensecrf2 1.1 (C++), on the case below.
PYDENSECRF = (
    '0001000110001010010001',
    '1010000222200010100101',
    '1010000202022000001000',
    '0000102202022200000010',
    '0100102222220201100010',
    '0011000022220100010000',
    '0101022020222200000100',
    '1001022210202220000000',
    '1000020202202020100001',
    '1010100202212010101101',
    '0010102202020100001000',
    '0100101020010001000010',
    '0001000010100001010010',
    '0000010000000000000100',
)


def test_agrees_with_numbers_of_pydensecrf():
    """Exactly with positions on the lattice; nearly without.

    The lattice treats its axes differently: with y before x, eight pixels of
    308 would differ.
    """
    y, x = torch.meshgrid(torch.arange(14), torch.arange(22), indexing='ij')
    image = torch.stack(
        [
            (7 * x + 3 * y * y) % 64 * 3,
            (5 * y + x * x // 3) % 50 * 4,
            (11 * x * y) % 90,
        ],
        dim=-1,
    ).to(torch.uint8)
    disc = (x - 9) ** 2 + (y - 6) ** 2 < 30
    scores = torch.stack(
        [
            (3 * x + y) % 7 / 7 + 0.1,
            (2 * y + x * x) % 5 / 6 + 0.1,
            disc * 0.6 + 0.05,
        ]
    )
    kernels = CRFKernels(
        position_weight=1.0,
        bilateral_weight=2.0,
        bilateral_sigma=7.0,
        colour_sigma=9.0,
    )
    theirs = torch.tensor([[int(label) for label in r] for r in PYDENSECRF])
    unary = unary_energy(scores)
    for official, most in ((True, 0), (False, 2)):
        ours = dense_crf_posterior(unary, image, kernels, 10, official)
        assert (ours.argmax(0) != theirs).sum() <= most
    posterior = dense_crf_posterior(unary, image, kernels, 10, True)[:, 5, 0]
    torch.testing.assert_close(
        posterior, torch.tensor([0.9853, 0.0104, 0.0042]), atol=1e-4, rtol=0
    )
