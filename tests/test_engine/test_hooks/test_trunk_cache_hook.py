# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Training from the cache is training on the same views without it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace as Stub
from typing import Any

import pytest
import torch
from mmengine.config import Config

from mmfmwsss.engine.hooks import trunk_cache_hook
from mmfmwsss.models.clip import FrozenCLIP
from mmfmwsss.utils import UserInputError

Losses = dict[int, dict[str, float]]


def cached(config: Config, folder: Path, **arguments: Any) -> Config:
    config.default_hooks.trunk_cache = dict(
        type='TrunkCacheHook', folder=str(folder), views=2, **arguments
    )
    return config


@pytest.mark.slow
def test_the_same_views_the_same_prompts(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    prompts_of: Callable[[Config, str], dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    trunk = FrozenCLIP.encode_trunk

    def spy(
        self: FrozenCLIP, images: torch.Tensor, with_attention: bool = True
    ) -> Any:
        calls.append(len(images))
        return trunk(self, images, with_attention)

    monkeypatch.setattr(FrozenCLIP, 'encode_trunk', spy)
    # 6 pictures, 2 views: from the fifth batch of 3 on all are there.
    size: dict[str, Any] = dict(iters=8, batch_size=3)
    size['optim_wrapper.optimizer.lr'] = 0.01  # rounding must not build up
    plain = prompt_config('plain', **size)
    plain.train_dataloader.sampler.views = 2
    expected = train(plain)
    assert calls == [3] * 8
    for dtype, tolerance in (('float32', 1e-6), ('float16', 5e-3)):
        calls.clear()
        config = cached(
            prompt_config(dtype, **size), tmp_path / f'c_{dtype}', dtype=dtype
        )
        losses = train(config)
        assert calls == [3] * 4
        for number, values in expected.items():
            for key in ('loss_mcl', 'loss_cal'):
                value = losses[number][key]
                assert value == pytest.approx(values[key], rel=tolerance)
        ours = prompts_of(config, 'iter_8.pth')
        for name, value in prompts_of(plain, 'iter_8.pth').items():
            assert (ours[name] - value).abs().max() < tolerance

    calls.clear()  # a second training finds everything
    again = cached(
        prompt_config('again', **size), tmp_path / 'c_float16', dtype='float16'
    )
    assert train(again) == losses
    assert calls == []


def wrapped(config: Config, kind: str) -> Config:
    """The training's data set in a wrapper of mmengine."""
    inner = config.train_dataloader.dataset
    wrappers = dict(
        repeated=dict(type='RepeatDataset', times=2, dataset=inner),
        joined=dict(
            type='ConcatDataset', datasets=[inner, dict(inner, indices=2)]
        ),
        # t = 2 doubles every class that not all pictures show
        balanced=dict(
            type='ClassBalancedDataset', oversample_thr=2.0, dataset=inner
        ),
    )
    config.train_dataloader.dataset = wrappers[kind]
    return config


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['repeated', 'joined', 'balanced'])
def test_a_picture_that_comes_twice_has_two_views(
    kind: str,
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    tmp_path: Path,
) -> None:
    size: dict[str, Any] = dict(iters=2, batch_size=6)
    size['optim_wrapper.optimizer.lr'] = 0.01  # rounding must not build up
    plain = wrapped(prompt_config('plain', **size), kind)
    plain.train_dataloader.sampler.views = 1
    expected = train(plain)
    config = cached(
        wrapped(prompt_config('cached', **size), kind),
        tmp_path / 'cache',
        dtype='float32',
    )
    config.default_hooks.trunk_cache.views = 1
    for number, losses in train(config).items():
        for key in ('loss_mcl', 'loss_cal'):
            value = pytest.approx(expected[number][key], rel=1e-5)
            assert losses[key] == value


def test_pictures_made_of_several_are_refused() -> None:
    plain = Stub(pipeline=Stub(transforms=[Stub(crop_size=(32, 48))]))
    other = Stub(pipeline=Stub(transforms=[Stub(crop_size=(32, 32))]))
    mosaic = Stub(dataset=Stub(datasets=[plain]), pipeline=['mosaic'])

    def grid(dataset: Any) -> tuple[int, int]:
        runner: Any = Stub(train_dataloader=Stub(dataset=dataset))
        return trunk_cache_hook._crop_grid(runner, 16)

    assert grid(Stub(datasets=[plain, Stub(dataset=plain)])) == (2, 3)
    with pytest.raises(UserInputError, match='makes one of several'):
        grid(mosaic)
    with pytest.raises(UserInputError, match='crops of one size, but got'):
        grid(Stub(datasets=[plain, other]))


def test_a_cache_of_other_pictures_is_refused(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    tmp_path: Path,
) -> None:
    train(cached(prompt_config('first', iters=1), tmp_path / 'cache'))
    other = cached(prompt_config('other', iters=1), tmp_path / 'cache')
    other.train_dataloader.dataset.pipeline[-2].brightness_delta = 5
    with pytest.raises(UserInputError, match='its `pipeline` is'):
        train(other)
    other = cached(prompt_config('third', iters=1), tmp_path / 'cache')
    other.train_dataloader.sampler = dict(type='InfiniteSampler')
    pipeline = other.train_dataloader.dataset.pipeline
    other.train_dataloader.dataset.pipeline = [
        t for t in pipeline if t.type != 'ReproducibleAugmentation'
    ]
    with pytest.raises(UserInputError, match='and InfiniteSampler'):
        train(other)
    crop = cached(prompt_config('fourth', iters=1), tmp_path / 'cache')
    pipeline = crop.train_dataloader.dataset.pipeline
    crop.train_dataloader.dataset.pipeline = [
        t for t in pipeline if t.type != 'RandomCropWithMasks'
    ]
    with pytest.raises(UserInputError, match='expected crops of one size'):
        train(crop)


def test_a_cache_of_a_replaced_picture_is_refused(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    tmp_path: Path,
) -> None:
    config = cached(prompt_config('first', iters=1), tmp_path / 'cache')
    world = tmp_path / 'world'
    shutil.copytree(config.train_dataloader.dataset.data_root, world)
    config.train_dataloader.dataset.data_root = str(world)
    train(config)
    photo = world / 'JPEGImages' / 'train_0001.jpg'
    photo.write_bytes(photo.read_bytes() + b'another')
    other = cached(prompt_config('other', iters=1), tmp_path / 'cache')
    other.train_dataloader.dataset.data_root = str(world)
    with pytest.raises(UserInputError, match=r'its `pictures` is .* rm -r'):
        train(other)


def test_a_cache_of_another_precision_or_activation_is_refused(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    tmp_path: Path,
) -> None:
    """Weights do not tell these, and features depend on them."""
    folder = tmp_path / 'cache'
    train(cached(prompt_config('first', iters=1), folder))
    half = cached(prompt_config('half', iters=1), folder)
    half.optim_wrapper.type = 'Bfloat16OptimWrapper'
    with pytest.raises(UserInputError, match='its `autocast` is None'):
        train(half)
    quick = cached(prompt_config('quick', iters=1), folder)
    quick.model.clip.arch.quick_gelu = True
    with pytest.raises(UserInputError, match='its `activation` is GELU'):
        train(quick)
    heads = cached(prompt_config('heads', iters=1), folder)
    heads.model.clip.arch.vision_cfg.head_width = 64
    with pytest.raises(UserInputError, match='its `heads` is 4'):
        train(heads)


def test_a_cache_that_does_not_tell_the_precision_is_of_single(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Losses],
    tmp_path: Path,
) -> None:
    """As those of earlier releases, which did not note it."""
    folder = tmp_path / 'cache'
    train(cached(prompt_config('first', iters=1), folder))
    note = folder / 'cache.json'
    meta = json.loads(note.read_text())
    for name in ('autocast', 'activation', 'heads'):
        del meta[name]
    note.write_text(json.dumps(meta))
    train(cached(prompt_config('second', iters=1), folder))
    half = cached(prompt_config('half', iters=1), folder)
    half.optim_wrapper.type = 'Bfloat16OptimWrapper'
    with pytest.raises(UserInputError, match="this run's bfloat16"):
        train(half)
