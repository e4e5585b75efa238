# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The order hangs on the seed, and can be taken up anywhere."""

import itertools
import pickle

import numpy as np
import pytest
from mmengine.dataset import BaseDataset
from mmseg.registry import DATA_SAMPLERS, DATASETS

from mmfmwsss.datasets.samplers import ReproducibleSampler
from mmfmwsss.structures.draw import Draw

SAMPLER = 'mmfmwsss.datasets.samplers.reproducible_sampler'


def sampler(size: int = 5, **arguments: object) -> ReproducibleSampler:
    return DATA_SAMPLERS.build(
        dict(
            type='ReproducibleSampler', dataset=[0] * size, seed=3, **arguments
        )
    )


def take(count: int, **arguments: object) -> list[tuple[int, int]]:
    draws = itertools.islice(sampler(infinite=True, **arguments), count)
    return [(int(draw), draw.view) for draw in draws]


def test_a_draw_is_an_index_and_survives_the_trip_to_a_worker() -> None:
    draw = pickle.loads(pickle.dumps(Draw(4, view=2, seed=9)))
    assert [10, 11, 12, 13, 14][draw] == 14
    assert (draw, draw.view, draw.seed) == (4, 2, 9)
    same = Draw(4, view=2, seed=9)
    assert draw.randomness == same.randomness < 2**32
    others = [Draw(3, 2, 9), Draw(4, 1, 9), Draw(4, 2, 8)]
    assert len({draw.randomness, *(d.randomness for d in others)}) == 4


def test_a_draw_knows_its_place_inside_wrappers() -> None:
    """Index 7 of 3 repeated pictures, then of 2 behind another one."""
    draw = Draw(7, view=2, seed=9)
    for inside, index in ((draw % 3, 1), (draw - 5, 2), (draw % 4 - 1, 2)):
        assert isinstance(inside, Draw)
        assert (inside, inside.view, inside.seed) == (index, 2, 9)
        # the repeated picture is seen otherwise each time
        assert inside.randomness == draw.randomness
        assert inside.randomness != Draw(index, view=2, seed=9).randomness
    again = pickle.loads(pickle.dumps(draw % 3))
    assert again.randomness == draw.randomness


def test_endless_passes() -> None:
    draws = take(15)
    for number in range(3):
        part = draws[5 * number : 5 * number + 5]
        assert sorted(part) == [(i, number) for i in range(5)]
    assert [i for i, _ in draws[:5]] != [i for i, _ in draws[5:10]]
    assert take(15) == draws
    in_order = take(7, shuffle=False)
    assert in_order == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize('start', [0, 3, 5, 11])
def test_it_can_be_taken_up(start: int) -> None:
    resumed = sampler(infinite=True)
    resumed.skip(start)
    found = [(int(d), d.view) for d in itertools.islice(resumed, 6)]
    assert found == take(start + 6)[start:]
    assert len(resumed) == 5


def test_epochs_are_the_passes() -> None:
    epochs = sampler()
    assert len(epochs) == 5
    found = []
    for number in range(2):
        epochs.set_epoch(number)
        found += [(int(draw), draw.view) for draw in epochs]
    assert found == take(10)


def test_views_come_back() -> None:
    assert [view for _, view in take(20, views=2)] == [
        *[0] * 5, *[1] * 5, *[0] * 5, *[1] * 5,
    ]  # fmt: skip
    with pytest.raises(ValueError, match='views >= 1, but got 0'):
        sampler(views=0)
    assert 'views=2' in repr(sampler(views=2))


@pytest.mark.parametrize('infinite', [True, False])
def test_processes_deal_the_order_out(
    infinite: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.array([int(d) for d in itertools.islice(
        sampler(size=6, infinite=infinite), 6
    )])  # fmt: skip
    shares = []
    for rank in (0, 1):
        monkeypatch.setattr(f'{SAMPLER}.get_dist_info', lambda r=rank: (r, 2))
        share = sampler(size=6, infinite=infinite)
        assert len(share) == (6 if infinite else 3)
        if infinite:
            share.skip(0)
        shares.append([int(d) for d in itertools.islice(share, 3)])
    # batch i of one process is batch i of both, half the size
    assert np.array_equal(np.array(shares).T.ravel(), whole)


def test_uneven_epochs_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for rank in (0, 1):
        monkeypatch.setattr(f'{SAMPLER}.get_dist_info', lambda r=rank: (r, 2))
        shares.append([int(d) for d in sampler(size=5)])
    assert [len(share) for share in shares] == [3, 3]
    dealt = np.array(shares).T.ravel().tolist()
    assert sorted(dealt[:5]) == [0, 1, 2, 3, 4]
    assert dealt[5] == dealt[0]


class Pictures(BaseDataset):
    """One in four shows a rare class; each is its index as it comes."""

    def load_data_list(self) -> list[dict[str, object]]:
        return [dict(rare=number == 3) for number in range(4)]

    def get_cat_ids(self, idx: int) -> list[int]:
        return [0, 1] if self.get_data_info(idx)['rare'] else [0]

    def prepare_data(self, idx: int) -> object:
        return idx


@pytest.mark.parametrize('wrapped', [False, True])
def test_balanced_classes_keep_the_draw(wrapped: bool) -> None:
    """Each repetition of a picture has a view of its own."""
    config = dict(
        type='ClassBalancedDataset',
        dataset=dict(type=Pictures),
        oversample_thr=1.0,
    )
    if wrapped:
        config = dict(
            type='ConcatDataset', datasets=[dict(type=Pictures), config]
        )
    dataset = DATASETS.build(config)
    balanced = dataset.datasets[1] if wrapped else dataset
    assert balanced.repeat_indices == [0, 1, 2, 3, 3]
    drawn = ReproducibleSampler(dataset, shuffle=False, seed=0)
    found = [dataset[index] for index in drawn][-5:]
    assert found == [0, 1, 2, 3, 3]
    assert all(isinstance(draw, Draw) for draw in found)
    assert len({draw.randomness for draw in found}) == 5
    assert type(dataset[len(dataset) - 1]) is int
    again = pickle.loads(pickle.dumps(balanced.repeat_indices))
    assert isinstance(again[Draw(4)], Draw) and again[3:] == [3, 3]


@pytest.mark.parametrize(('size', 'draws'), [(5, 3), (5, 5), (5, 12), (1, 4)])
def test_epochs_of_fixed_length_are_parts_of_the_endless_order(
    size: int, draws: int
) -> None:
    endless = itertools.islice(sampler(size, infinite=True), 3 * draws)
    expected = [(int(draw), draw.view) for draw in endless]
    found = []
    fixed = sampler(size, epoch_draws=draws)
    assert len(fixed) == draws
    for epoch in range(3):
        fixed.set_epoch(epoch)
        found += [(int(draw), draw.view) for draw in fixed]
    assert found == expected


def test_processes_share_an_epoch_of_fixed_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """7 draws of 2 processes are 8, dealt out in turn."""
    alone = sampler(epoch_draws=8)
    alone.set_epoch(2)
    shares = []
    for rank in range(2):
        monkeypatch.setattr(f'{SAMPLER}.get_dist_info', lambda r=rank: (r, 2))
        part = sampler(epoch_draws=7)
        part.set_epoch(2)
        assert len(part) == 4
        shares.append([(int(draw), draw.view) for draw in part])
    dealt = [draw for pair in zip(*shares, strict=True) for draw in pair]
    assert dealt == [(int(draw), draw.view) for draw in alone]


@pytest.mark.parametrize(
    'arguments', [dict(epoch_draws=0), dict(epoch_draws=4, infinite=True)]
)
def test_an_epoch_has_a_draw_and_an_end(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match='`epoch_draws` >= 1'):
        sampler(**arguments)
