# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The official colour jitter: by hand, over its ranges, and its quirk."""

import colorsys

import cv2
import numpy as np
import pytest

from mmfmwsss.datasets.transforms import RandomColourJitter

CHANGES = ('brightness', 'contrast', 'saturation', 'hue')


def picture(*pixels):
    return {'img': np.array([pixels], np.uint8)}


def only(change, amount, results, official=False):
    """Make one change of a known amount."""
    jitter = RandomColourJitter(official=official)
    jitter._draw = lambda: [(change, amount)]
    return jitter(results)['img'][0].astype(int)


def test_brightness_and_contrast_by_hand():
    pixels = ((10, 100, 250), (0, 255, 30))
    added = only('brightness', -20, picture(*pixels))
    assert added.tolist() == [[0, 80, 230], [0, 235, 10]]
    scaled = only('contrast', 1.4, picture(*pixels))
    assert scaled.tolist() == [[14, 140, 255], [0, 255, 42]]


def test_official_reflects_below_zero():
    """|x + b|, saturated: what the official code's conversion does."""
    pixels = ((10, 100, 250), (0, 255, 30))
    added = only('brightness', -20, picture(*pixels), official=True)
    assert added.tolist() == [[10, 80, 230], [20, 235, 10]]
    scaled = only('contrast', 1.4, picture(*pixels), official=True)
    assert scaled.tolist() == [[14, 140, 255], [0, 255, 42]]


def test_saturation_and_hue_against_colorsys():
    rng = np.random.default_rng(0)
    rgb = rng.integers(30, 226, (200, 3))
    bgr = [tuple(int(v) for v in row[::-1]) for row in rgb]
    for change, amount in (('saturation', 0.6), ('hue', 23.0)):
        changed = only(change, amount, picture(*bgr))[:, ::-1]
        for before, after in zip(rgb, changed, strict=True):
            h, s, v = colorsys.rgb_to_hsv(*(before / 255))
            if change == 'hue':
                h = (h + amount / 256) % 1
            else:
                s *= amount
            expected = 255 * np.array(colorsys.hsv_to_rgb(h, s, v))
            assert np.abs(after - expected).max() <= 6  # HSV has 8 bits


@pytest.mark.parametrize('official', [False, True])
def test_saturation_is_scaled_in_plain_hsv(official):
    """The official code keeps the hue in 180 steps there, not in 256."""
    pixel = np.array([[[60, 90, 201]]], np.uint8)
    hsv = cv2.cvtColor(pixel, cv2.COLOR_BGR2HSV)
    hsv[..., 1] = np.rint(hsv[..., 1] * 0.7)
    expected = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0].tolist()
    changed = only(
        'saturation', 0.7, picture((60, 90, 201)), official=official
    )
    assert changed.tolist() == expected


def test_hues_go_round_but_not_officially():
    red = (0, 0, 200)
    purplish = only('hue', -20, picture(red))[0]
    assert purplish[0] > 80 and purplish[1] == 0  # blue, no green
    reflected = only('hue', -20, picture(red), official=True)[0]
    assert reflected[1] > 80 and reflected[0] == 0  # as +20: green, no blue
    pink = (100, 0, 200)  # its hue is near the end of the circle
    assert only('hue', 25, picture(pink))[0][1] > 0
    cut = only('hue', 25, picture(pink), official=True)[0]
    assert cut[1] == 0 and cut[0] < 10  # stays at 255, all but red


def test_a_circle_of_hues_has_256_steps():
    red = (0, 0, 200)
    for steps in (256, -256):
        assert only('hue', steps, picture(red)).tolist() == [[*red]]
    almost = only('hue', 250, picture(red)).tolist()
    assert almost == only('hue', -6, picture(red)).tolist() != [[*red]]


def test_amounts_and_order():
    np.random.seed(0)
    jitter = RandomColourJitter()
    drawn = [jitter._draw() for _ in range(4000)]
    amounts: dict[str, list[float]] = {name: [] for name in CHANGES}
    for changes in drawn:
        assert len({name for name, _ in changes}) == len(changes)
        for name, amount in changes:
            amounts[name].append(amount)
    limits = {
        'brightness': (-25, 25),
        'contrast': (0.6, 1.4),
        'saturation': (0.5, 1.5),
        'hue': (-25, 25),
    }
    for name, (low, high) in limits.items():
        values = np.array(amounts[name])
        assert len(values) / len(drawn) == pytest.approx(0.5, abs=0.04)
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high
        assert values.mean() == pytest.approx(
            (low + high) / 2, abs=0.03 * (high - low)
        )
    first = [changes[0][0] for changes in drawn if len(changes) == 4]
    for name in CHANGES:
        assert first.count(name) / len(first) == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize('official', [False, True])
def test_a_picture_stays_a_picture(official):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (9, 11, 3), np.uint8)
    jitter = RandomColourJitter(prob=1.0, official=official)
    np.random.seed(0)
    kept = image.copy()
    for _ in range(20):
        changed = jitter({'img': image})['img']
        assert changed.dtype == np.uint8 and changed.shape == (9, 11, 3)
        assert (changed != image).any()
    assert (image == kept).all()
    still = RandomColourJitter(prob=0.0, official=official)({'img': image})[
        'img'
    ]
    assert (still == image).all()
    assert f'official={official}' in repr(jitter)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'contrast_range': (1.4, 0.6)}, 'contrast_range'),
        ({'saturation_range': (-1, 1)}, 'saturation_range'),
        ({'hue_delta': -1.0}, 'hue_delta'),
        ({'prob': 1.5}, 'prob'),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        RandomColourJitter(**settings)
