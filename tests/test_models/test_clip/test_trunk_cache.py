# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Features on disk are those of the trunk, or are made again."""

import json
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch

from mmfmwsss.models.clip import FrozenCLIP, TrunkCache
from mmfmwsss.models.clip.trunk_cache import CacheShape
from mmfmwsss.structures.draw import Draw
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import random_clip

KEY = dict(clip='abc', seed=0)


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def shape(**changes: Any) -> CacheShape:
    sizes: dict[str, Any] = dict(
        images=3, views=2, grid=(4, 5), width=32, attention=True,
        dtype='float32',
    )  # fmt: skip
    return CacheShape(**{**sizes, **changes})


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 32, 40, generator=generator)


DRAWS = [Draw(2, view=1), Draw(0, view=0)]


def test_a_picture_that_comes_twice_has_two_rows(
    clip: FrozenCLIP, tmp_path: Path
) -> None:
    """RepeatDataset and ConcatDataset give two draws one index inside."""
    draws = [Draw(1), Draw(2) % 1]
    inside = [Draw(0, drawn=0), Draw(3) % 3]  # drawn as 0 and as 3
    assert [int(draw) for draw in inside] == [0, 0]
    cache = TrunkCache(tmp_path / 'cache', shape(images=4), KEY)
    assert cache._row_numbers([*draws, *inside]) == [2, 4, 0, 6]
    both = cache.features(clip, images(), inside)
    again = cache.features(clip, images(), inside)
    assert torch.equal(both.residual, again.residual)
    assert not torch.equal(*again.residual)


def test_size_by_hand() -> None:
    # 21 tokens of 32 numbers, 20 x 20 pairs of patches
    assert shape().row == 21 * 32 + 400
    assert shape().size == 3 * 2 * 4 * (21 * 32 + 400)
    assert shape(attention=False, dtype='float16').size == 3 * 2 * 2 * 21 * 32


@pytest.mark.parametrize(
    ('dtype', 'tolerance'), [('float32', 0), ('float16', 2e-3)]
)
@pytest.mark.parametrize('attention', [True, False])
def test_features_are_those_of_the_trunk(
    clip: FrozenCLIP,
    tmp_path: Path,
    dtype: str,
    tolerance: float,
    attention: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = clip.encode_trunk(images(), attention)
    settings = shape(dtype=dtype, attention=attention)
    first = TrunkCache(tmp_path / 'cache', settings, KEY).features(
        clip, images(), DRAWS
    )
    # another run, the other order, no trunk
    monkeypatch.setattr(FrozenCLIP, 'encode_trunk', None)
    again = TrunkCache(tmp_path / 'cache', settings, KEY).features(
        clip, images().flip(0), DRAWS[::-1]
    )
    for name in ('tokens', 'residual', 'attention'):
        value = getattr(first, name)
        assert torch.equal(getattr(again, name).flip(0), value)
        torch.testing.assert_close(
            value, getattr(expected, name), rtol=tolerance, atol=tolerance
        )
    assert again.grid == expected.grid == (4, 5)


def test_a_row_cut_off_is_made_again(clip: FrozenCLIP, tmp_path: Path) -> None:
    cache = TrunkCache(tmp_path / 'cache', shape(), KEY)
    before = cache.features(clip, images(), DRAWS)
    cache._rows[5, 100:] = 0  # of draw (2, view 1): as if killed half-way
    after = cache.features(clip, images(), DRAWS)
    assert torch.equal(before.residual, after.residual)


def test_part_of_a_batch_may_be_there(
    clip: FrozenCLIP, tmp_path: Path
) -> None:
    cache = TrunkCache(tmp_path / 'cache', shape(), KEY)
    alone = cache.features(clip, images()[:1], DRAWS[:1])
    both = cache.features(clip, images(), DRAWS)
    assert torch.equal(both.residual[:1], alone.residual)
    expected = clip.encode_trunk(images())
    torch.testing.assert_close(both.residual, expected.residual)


def test_another_run_is_refused(clip: FrozenCLIP, tmp_path: Path) -> None:
    folder = tmp_path / 'cache'
    TrunkCache(folder, shape(), KEY)
    with pytest.raises(UserInputError, match='`seed` is 0 and.*1.*rm -r'):
        TrunkCache(folder, shape(), dict(KEY, seed=1))
    with pytest.raises(UserInputError, match='`views` is 2 and'):
        TrunkCache(folder, shape(views=3), KEY)
    (folder / 'cache.json').write_text(json.dumps({})[:-1])
    with pytest.raises(UserInputError, match='`clip` is None'):
        TrunkCache(folder, shape(), KEY)


def test_views_of_another_sampler_are_refused(
    clip: FrozenCLIP, tmp_path: Path
) -> None:
    cache = TrunkCache(tmp_path / 'cache', shape(), KEY)
    for draw in (Draw(0, view=2), 0, None):
        with pytest.raises(UserInputError, match='expected 2 views.*got'):
            cache.features(clip, images()[:1], [draw])


def test_numbers_beyond_float16_are_refused(
    clip: FrozenCLIP, tmp_path: Path
) -> None:
    cache = TrunkCache(tmp_path / 'cache', shape(dtype='float16'), KEY)
    with pytest.raises(UserInputError, match="dtype='float32'"):
        cache._write(0, torch.full((cache.shape.row,), 1e6).numpy())


def test_a_full_disk_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple('usage', 'free')
    monkeypatch.setattr(
        'mmfmwsss.models.clip.trunk_cache.shutil.disk_usage',
        lambda path: usage(100),
    )
    with pytest.raises(UserInputError, match=r'GiB of free disk.*`views`'):
        TrunkCache(tmp_path / 'cache', shape(), KEY)
    assert not (tmp_path / 'cache').exists()
