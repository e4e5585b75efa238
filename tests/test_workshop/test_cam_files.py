# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAM files of other methods."""

import numpy as np
import pytest
import torch

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png
from mmfmwsss.workshop.cam_files import (
    cam_suffix,
    have_background_key,
    read_cams,
    refuse_background_key,
)

RNG = np.random.default_rng(0)
CAMS = RNG.uniform(size=(2, 5, 6)).astype(np.float16)
KEYS = np.array([3, 11])


@pytest.mark.parametrize(
    ('cam_format', 'content'),
    [
        ('clip_es', {'keys': KEYS, 'attn_highres': CAMS}),
        ('clip_es', {'keys': KEYS, 'highres': CAMS}),
        ('irn', {'keys': KEYS, 'cam': CAMS[:, ::2], 'high_res': CAMS}),
        ('irn', {'keys': KEYS, 'cam': CAMS}),
        (
            'irn',
            {'keys': torch.from_numpy(KEYS), 'cam': torch.from_numpy(CAMS)},
        ),
        ('npy', {3: CAMS[0], 11: CAMS[1]}),
        ('npy', {np.int64(3): CAMS[0], np.int64(11): CAMS[1]}),
    ],
)
def test_reads(tmp_path, cam_format, content):
    path = tmp_path / f'a{cam_suffix(cam_format)}'
    np.save(path, content, allow_pickle=True)
    cams, classes = read_cams(path, cam_format)
    assert cams.dtype == torch.float32 and classes.dtype == torch.int64
    np.testing.assert_array_equal(cams.numpy(), CAMS.astype(np.float32))
    assert classes.tolist() == [3, 11]


def test_reads_label_maps(tmp_path):
    labels = np.array([[0, 4, 255], [12, 4, 0]])
    write_palette_png(tmp_path / 'a.png', labels)
    cams, classes = read_cams(tmp_path / 'a.png', 'png')
    assert classes.tolist() == [3, 11]
    assert cams.tolist() == [[[0, 1, 0], [0, 1, 0]], [[0, 0, 0], [1, 0, 0]]]
    assert cam_suffix('png') == '.png'


def test_resizes(tmp_path):
    np.save(tmp_path / 'a.npy', {2: np.ones((2, 3))}, allow_pickle=True)
    file = read_cams(tmp_path / 'a.npy', 'npy')
    assert file.resized((2, 3)) is file
    assert file.resized((4, 9)).cams.shape == (1, 4, 9)
    np.save(tmp_path / 'b.npy', {}, allow_pickle=True)
    none = read_cams(tmp_path / 'b.npy', 'npy').resized((4, 9))
    assert none.cams.shape == (0, 4, 9) and len(none.classes) == 0


@pytest.mark.parametrize(
    ('cam_format', 'content', 'match'),
    [
        ('clip_es', {3: CAMS[0]}, "with 'keys' and 'attn_highres'"),
        ('irn', {'keys': KEYS}, "'high_res' or 'cam'"),
        ('irn', CAMS, 'got ndarray'),
        ('npy', {'keys': KEYS, 'cam': CAMS}, r"keys \['keys', 'cam'\]"),
        ('npy', CAMS, 'class index to map'),
        ('npy', {1: CAMS[0], 2: CAMS[0, 1:]}, 'of one size'),
        ('npy', {1: CAMS}, 'one .* map for each class'),
        ('npy', {-1: CAMS[0]}, 'different classes from 0'),
        ('npy', {1: CAMS[0] * np.nan}, 'finite'),
        ('irn', {'keys': [1, 1], 'cam': CAMS}, 'different classes'),
        ('irn', {'keys': [1], 'cam': CAMS}, '1 classes'),
    ],
)
def test_says_what_is_wrong(tmp_path, cam_format, content, match):
    np.save(tmp_path / 'a.npy', content, allow_pickle=True)
    with pytest.raises(UserInputError, match=match):
        read_cams(tmp_path / 'a.npy', cam_format)


def test_unknown_format(tmp_path):
    with pytest.raises(ValueError, match='cam_format must be one of'):
        read_cams(tmp_path / 'a.npy', 'mat')


@pytest.mark.parametrize(
    ('keys', 'found'),
    [
        ([[0, 5], [0, 8], [0]], True),
        ([[5, 0], [8, 3, 0]], True),
        ([[0, 5], [8], [0]], False),  # a class that is often there
        ([[0, 5]], False),  # one picture says nothing
        ([[0], [0]], False),  # one class in the world
        ([[0, 5], []], False),
        ([], False),
    ],
)
def test_tells_a_background_key(keys, found):
    assert have_background_key(keys) is found


def test_stops_at_the_first_file_without_key_0():
    def files():
        yield [1]
        raise AssertionError('read on')

    assert not have_background_key(files())


def test_keys_that_are_labels(tmp_path):
    """PSA's files: 0 background, class + 1."""
    ground, thing = np.full((2, 3), 0.2), np.full((2, 3), 0.8)
    paths = []
    for name, key in (('a', 5), ('b', 8)):
        paths.append(tmp_path / f'{name}.npy')
        np.save(paths[-1], {0: ground, key: thing}, allow_pickle=True)
    with pytest.raises(UserInputError, match='--keys labels'):
        refuse_background_key([*paths, tmp_path / 'missing.npy'], 'npy')
    cams, classes = read_cams(paths[0], 'npy', keys='labels')
    assert classes.tolist() == [4] and cams.shape == (1, 2, 3)
    assert (cams == 0.8).all()
    # said to be classes, nothing moves
    assert read_cams(paths[0], 'npy').classes.tolist() == [0, 5]
    np.save(tmp_path / 'c.npy', {3: thing}, allow_pickle=True)
    refuse_background_key([*paths, tmp_path / 'c.npy'], 'npy')
    with pytest.raises(ValueError, match='keys must be one of'):
        read_cams(paths[0], 'npy', keys='names')


def test_keys_that_are_labels_in_the_keyed_formats(tmp_path):
    np.save(
        tmp_path / 'a.npy',
        {'keys': np.array([0, 4]), 'cam': np.ones((2, 5, 6))},
        allow_pickle=True,
    )
    assert read_cams(tmp_path / 'a.npy', 'irn', 'labels').classes == 3


def test_class_index_that_no_label_map_holds(tmp_path):
    """Label 255 counts for nothing: the last class is 253."""
    for key in (253, 254, 299):
        np.save(tmp_path / f'{key}.npy', {key: np.ones((2, 3))})
    assert read_cams(tmp_path / '253.npy', 'npy').classes == 253
    for key in (254, 299):
        with pytest.raises(UserInputError, match='below 254'):
            read_cams(tmp_path / f'{key}.npy', 'npy')
