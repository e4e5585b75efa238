# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What every seeder refuses, and what all of them keep on random inputs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfmwsss.models.seeding import SAMS, ArgmaxSeeder, DenseCRF, MaskVoting
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

SIZE = (6, 9)
SEEDERS = dict(
    sams=SAMS(),
    sams_official=SAMS(official=True),
    voting=MaskVoting(),
    crf=DenseCRF(backend='torch', iterations=2),
    argmax=ArgmaxSeeder(),
)
ALL = pytest.mark.parametrize('seeder', SEEDERS.values(), ids=SEEDERS)


def masks_of(count=3, size=SIZE, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ones = torch.ones(count)
    masks = torch.rand(count, *size, generator=generator) < 0.4
    levels = torch.randint(0, 3, (count,), generator=generator)
    return SAMMasks(masks, levels, ones, ones)


def inputs():
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (*SIZE, 3), generator=generator)
    return dict(
        cams=torch.randn(2, *SIZE, generator=generator),
        classes=torch.tensor([4, 1]),
        masks=masks_of(),
        image=image.to(torch.uint8),
    )


def with_value(value):
    cams = inputs()['cams']
    cams[1, 2, 3] = cams[1, 0, 0] = value
    return cams


REFUSED = dict(
    more_cams=(dict(cams=torch.ones(3, *SIZE)), 'each of 3 CAMs'),
    fewer_cams=(dict(cams=torch.ones(1, *SIZE)), 'each of 1 CAMs'),
    no_cams=(dict(cams=torch.ones(0, *SIZE)), 'each of 0 CAMs'),
    nan=(dict(cams=with_value(float('nan'))), '2 of 108 values'),
    inf=(dict(cams=with_value(float('inf'))), '2 of 108 .* channel 1'),
    minus_inf=(dict(cams=with_value(float('-inf'))), '2 of 108 values'),
    whole_cams=(dict(cams=torch.ones(2, *SIZE).long()), 'CAMs as float'),
    bool_cams=(dict(cams=torch.ones(2, *SIZE).bool()), 'CAMs as float'),
    batch=(dict(cams=torch.ones(1, 2, *SIZE)), 'CAMs as float of shape'),
    no_pixels=(dict(cams=torch.ones(2, 0, 9)), 'CAMs as float of shape'),
    class_254=(dict(classes=torch.tensor([4, 254])), r'0\.\.253 .* got 254'),
    class_300=(dict(classes=torch.tensor([300, 4])), 'got 300'),
    negative=(dict(classes=torch.tensor([4, -1])), 'got -1'),
    repeated=(dict(classes=torch.tensor([4, 4])), 'once, got 4 for 2 CAMs'),
    float_class=(dict(classes=torch.tensor([4.0, 1.0])), 'int64 of shape'),
    bool_class=(dict(classes=torch.tensor([True, False])), 'int64 of shape'),
    column=(dict(classes=torch.tensor([[4], [1]])), 'int64 of shape'),
    masks_size=(dict(masks=masks_of(size=(9, 6))), 'masks of the size'),
    image_size=(
        dict(image=torch.zeros(9, 6, 3, dtype=torch.uint8)),
        'image of shape',
    ),
    image_grey=(
        dict(image=torch.zeros(*SIZE, dtype=torch.uint8)),
        'image of shape',
    ),
    image_float=(dict(image=torch.rand(*SIZE, 3)), 'RGB of uint8'),
)


@ALL
@pytest.mark.parametrize(('wrong', 'message'), REFUSED.values(), ids=REFUSED)
def test_refuses(seeder, wrong, message):
    seeder(**inputs())
    with pytest.raises(UserInputError, match=message) as caught:
        seeder(**(inputs() | wrong))
    assert str(caught.value).startswith(type(seeder).__name__)


@ALL
@pytest.mark.parametrize('level', [7, -1, 3])
def test_refuses_levels(seeder, level):
    given_inputs = inputs()
    given_inputs['masks'].levels[1] = level
    with pytest.raises(UserInputError, match=f'or 2 .whole., got {level}'):
        seeder(**given_inputs)
    masks = given_inputs['masks']
    with pytest.raises(ValueError, match=f'levels.*got {level}'):
        masks.to('cpu')


@ALL
@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(probabilities=with_value(float('nan'))), '2 of 108 values'),
        (dict(probabilities=torch.ones(3, *SIZE).long()), 'probabilities as'),
        (dict(probabilities=torch.ones(1, 3, *SIZE)), 'probabilities as'),
        (dict(probabilities=torch.ones(256, *SIZE)), 'at most 254'),
        (dict(probabilities=torch.ones(0, *SIZE)), 'for the background'),
        (dict(masks=masks_of(size=(9, 6))), 'masks of the size'),
        (dict(image=torch.rand(*SIZE, 3)), 'RGB of uint8'),
    ],
)
def test_refine_refuses(seeder, wrong, message):
    fine = inputs()
    fine = dict(
        probabilities=fine['cams'].softmax(0),
        masks=fine['masks'],
        image=fine['image'],
    )
    assert seeder.refine(**fine).shape == SIZE
    with pytest.raises(UserInputError, match=message):
        seeder.refine(**(fine | wrong))


@ALL
def test_last_class_that_fits(seeder):
    given_inputs = inputs() | dict(classes=torch.tensor([253, 0]))
    assert set(seeder(**given_inputs).unique().tolist()) <= {0, 1, 254}


@ALL
@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(0, 4),
    masks=st.integers(1, 9),
    # the torch CRF, a float32 lattice, need not survive more than this
    power=st.integers(-3, 4),
)
def test_invariants(seeder, seed, count, masks, power):
    generator = torch.Generator().manual_seed(seed)
    cams = torch.randn(count, *SIZE, generator=generator) * 2.0**power
    classes = torch.randperm(254, generator=generator)[:count]
    image = torch.randint(0, 256, (*SIZE, 3), generator=generator)
    rest = (masks_of(masks, seed=seed), image.to(torch.uint8))
    seed_map = seeder(cams, classes, *rest)
    # only the background and present classes
    assert seed_map.dtype == torch.uint8 and seed_map.shape == SIZE
    allowed = {0, *(classes + 1).tolist()}
    assert set(seed_map.unique().tolist()) <= allowed
    # the same once more, and inputs stay as they are
    assert torch.equal(seed_map, seeder(cams.clone(), classes, *rest))
    if seeder.official:
        return  # its 1e-7 depends on the scale, and its ties on the order
    # another order of the classes changes nothing, ties included
    order = torch.randperm(count, generator=generator)
    again = seeder(cams[order], classes[order], *rest)
    assert torch.equal(seed_map, again)
    # scaling by a power of two changes no score
    assert torch.equal(seed_map, seeder(cams * 4, classes, *rest))


@ALL
def test_a_shared_peak_does_not_depend_on_the_order(seeder):
    """Both classes score 1 at the one peak that they share."""
    fine = inputs()
    cams = fine['cams'].clamp(max=1.0)
    cams[:, 3, 4] = 8.0
    classes = torch.tensor([1, 4])
    rest = (fine['masks'], fine['image'])
    seed = seeder(cams, classes, *rest)
    swapped = seeder(cams.flip(0), classes.flip(0), *rest)
    if isinstance(seeder, ArgmaxSeeder):
        assert seed[3, 4] == 2  # the lower index
    if not seeder.official:
        assert torch.equal(seed, swapped)


def test_official_ties_go_to_the_first_class():
    """1e-7 is lost beside activations of 1: both score 1, as officially."""
    left = torch.zeros(SIZE, dtype=torch.bool)
    left[:, :4] = True
    ones = torch.ones(2)
    masks = SAMMasks(
        torch.stack([left, ~left]), torch.tensor([2, 2]), ones, ones
    )
    cams = torch.stack([left * 4.0, left * 8.0])
    for classes in ([4, 1], [1, 4]):
        seed = SAMS(official=True)(cams, torch.tensor(classes), masks)
        assert (seed[left] == classes[0] + 1).all()
        seed = SAMS()(cams, torch.tensor(classes), masks)
        assert (seed[left] == classes[1] + 1).all()
