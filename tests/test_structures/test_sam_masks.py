# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import cv2
import numpy as np
import pytest
import torch

from mmfmwsss.structures import SAMMasks


def make(count=11, size=(20, 30), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return SAMMasks(
        masks=torch.rand(count, *size, generator=generator) > 0.6,
        levels=torch.randint(3, (count,), generator=generator),
        predicted_iou=torch.rand(count, generator=generator),
        stability_score=torch.rand(count, generator=generator),
    )


def assert_equal(one, other):
    for name in ('masks', 'levels', 'predicted_iou', 'stability_score'):
        assert torch.equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == getattr(other, name).dtype


def test_length_size_and_counts():
    masks = make(5)
    masks.levels = torch.tensor([2, 0, 2, 1, 2])
    assert len(masks) == 5
    assert masks.size == (20, 30)
    assert masks.level_counts() == [1, 1, 3]


def test_filter_by_bool_and_by_order():
    masks = make(4)
    keep = torch.tensor([True, False, False, True])
    assert_equal(masks.filter(keep), masks.filter(torch.tensor([0, 3])))
    assert torch.equal(
        masks.filter(torch.tensor([2, 1])).masks[0], masks.masks[2]
    )


def test_empty():
    masks = SAMMasks.empty((4, 6))
    assert len(masks) == 0
    assert masks.size == (4, 6)
    assert masks.level_counts() == [0, 0, 0]
    assert masks.nonempty().shape == (0,)
    assert_equal(masks.with_packed(masks.pack()), masks)


def test_nonempty():
    masks = make(3)
    masks.masks[1] = False
    assert masks.nonempty().tolist() == [True, False, True]


def test_pack_by_hand():
    masks = make(9, (1, 2))
    masks.masks[:] = False
    masks.masks[0, 0, 0] = masks.masks[7, 0, 0] = masks.masks[8, 0, 1] = True
    assert masks.pack().tolist() == [[[0b10000001, 0], [0, 0b10000000]]]


@pytest.mark.parametrize('count', [0, 1, 7, 8, 9, 40])
def test_pack_is_packbits_and_comes_back(count):
    masks = make(count)
    planes = masks.pack()
    assert planes.shape == (20, 30, max(1, -(-count // 8)))
    if count:
        expected = np.packbits(masks.masks.numpy(), axis=0)
        np.testing.assert_array_equal(planes, expected.transpose(1, 2, 0))
    assert_equal(masks.with_packed(planes), masks)


@pytest.mark.parametrize('count', [0, 3, 8, 19, 100])
def test_planes_follow_the_image(count):
    masks = make(count)
    transforms = [
        lambda x: x[:, ::-1],
        lambda x: x[3:12, 5:20],
        lambda x: np.ascontiguousarray(x[::-1]),
        lambda x: cv2.resize(x, (45, 33), interpolation=cv2.INTER_NEAREST),
    ]
    for transform in transforms:
        moved = masks.with_packed(transform(masks.pack())).masks
        for mask, result in zip(masks.masks, moved, strict=True):
            expected = transform(mask.numpy().astype(np.uint8)).astype(bool)
            np.testing.assert_array_equal(result.numpy(), expected)


def test_packed_masks_may_become_empty():
    masks = make(2)
    masks.masks[0, :, :10] = False
    cropped = masks.with_packed(masks.pack()[:, :10])
    assert len(cropped) == 2
    assert cropped.nonempty().tolist() == [False, True]


def test_wrong_planes():
    with pytest.raises(ValueError, match=r'packed into planes \(H, W, 2\)'):
        make(11).with_packed(np.zeros((5, 5, 3), np.uint8))


def test_to_device_keeps_everything():
    masks = make()
    assert_equal(masks.to('cpu'), masks)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(masks=torch.zeros(2, 3, 4)), 'must be bool'),
        (dict(masks=torch.zeros(3, 4, dtype=torch.bool)), 'must be bool'),
        (dict(levels=torch.zeros(3)), r'`levels` must have shape \(2,\)'),
        (dict(predicted_iou=torch.zeros(1)), '`predicted_iou`'),
        (dict(stability_score=torch.zeros(2, 1)), '`stability_score`'),
    ],
)
def test_shapes_are_checked(changes, message):
    good = dict(
        masks=torch.zeros(2, 3, 4, dtype=torch.bool),
        levels=torch.zeros(2, dtype=torch.int64),
        predicted_iou=torch.zeros(2),
        stability_score=torch.zeros(2),
    )
    SAMMasks(**good)
    with pytest.raises(ValueError, match=message):
        SAMMasks(**{**good, **changes})


@pytest.mark.parametrize('count', [0, 1, 12])
@pytest.mark.parametrize('size', [(1, 1), (20, 30), (37, 5)])
def test_save_and_load(tmp_path, count, size):
    masks = make(count, size)
    masks.save(tmp_path / 'sub' / 'a.json', 'abc')
    assert_equal(SAMMasks.load(tmp_path / 'sub' / 'a.json'), masks)
