# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Label maps over their photos, with names."""

import numpy as np

from mmfmwsss.visualization.label_pictures import enlarged, paint_named_labels
from mmfmwsss.visualization.painting import paint_labels

CLASSES = ['background', 'cat', 'dog']
PALETTE = [(0, 0, 0), (250, 0, 0), (0, 0, 250)]


def test_photo_legend_and_names() -> None:
    image = np.full((600, 800, 3), 100, np.uint8)
    labels = np.zeros((600, 800), np.uint8)
    labels[:, 400:] = 1
    labels[:3] = 255  # ignored: no line of the legend
    picture = paint_named_labels(image, labels, CLASSES, PALETTE)
    assert picture.shape == (600 + 36 + 8, 800, 3)
    plain = paint_labels(image, labels, PALETTE, 0.5, borders=True)
    changed = (picture[:600] != plain).any(axis=2)
    # The name is written inside of the cat, and nowhere else
    ys, xs = np.nonzero(changed)
    assert 100 < changed.sum() < 5000
    assert xs.min() > 400 and ys.min() > 200 and ys.max() < 400
    # Without a legend the size is the photo's
    bare = paint_named_labels(image, labels, CLASSES, PALETTE, legend=False)
    np.testing.assert_array_equal(bare, picture[:600])
    small = paint_named_labels(
        image[:30], labels[:30], CLASSES, PALETTE, legend=False
    )
    assert small.shape == (30, 800, 3)
    # The legend has the cat's colour, not the dog's
    legend = picture[600:]
    assert (legend == PALETTE[1]).all(axis=2).any()
    assert not (legend == PALETTE[2]).all(axis=2).any()


def test_small_photos_are_enlarged_by_a_whole_number() -> None:
    image = np.random.default_rng(0).integers(0, 9, (50, 100, 3)).astype('u1')
    labels = np.arange(5000).reshape(50, 100) % 3
    large, larger_labels = enlarged(image, labels)
    assert large.shape == (250, 500, 3) and larger_labels.shape == (250, 500)
    np.testing.assert_array_equal(larger_labels[2::5, 2::5], labels)
    np.testing.assert_array_equal(enlarged(image, labels, 100)[0], image)


def test_labels_without_a_name_have_no_line() -> None:
    labels = np.full((500, 500), 7, np.uint8)
    image = np.zeros((500, 500, 3), np.uint8)
    assert paint_named_labels(image, labels, CLASSES, PALETTE).shape[0] == 508
