# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A training that leaves the numbers ends, and leaves what was good."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner

from mmfmwsss.utils import UserInputError

CONFIGS = Path(__file__).parents[3] / 'configs'
Make = Callable[..., Config]


def test_it_is_in_every_config() -> None:
    config = Config.fromfile(CONFIGS / '_base_' / 'default_runtime.py')
    assert config.default_hooks.finite.type == 'FiniteTrainingHook'


def test_prompts_at_an_absurd_rate(prompt_config: Make) -> None:
    config = prompt_config('absurd', iters=4)
    config.optim_wrapper.optimizer.lr = 1e30
    config.default_hooks.checkpoint.interval = 1
    with pytest.raises(
        UserInputError,
        match=r'is (nan|inf) at iteration \d, of the images \w+.*'
        r'Train with a lower `optim_wrapper.optimizer.lr`',
    ) as caught:
        Runner.from_cfg(config).train()
    assert str(caught.value).count('\n') == 0
    work = Path(config.work_dir)
    for file in (work / 'prompts.pth', *work.glob('iter_*.pth')):
        if file.is_file():
            state = CheckpointLoader.load_checkpoint(str(file))['state_dict']
            assert all(torch.isfinite(value).all() for value in state.values())


@pytest.mark.parametrize('value', ['nan', 'inf', '-inf'])
def test_the_batch_is_named_and_the_last_good_one_kept(
    value: str, network_config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = network_config('partworld_deeplabv3plus', value, 0)
    config.train_cfg.max_iters = 4
    runner = Runner.from_cfg(config)
    head = runner.model.decode_head
    by_feat = head.loss_by_feat

    def spoilt(logits: torch.Tensor, samples: list) -> dict:
        losses = by_feat(logits, samples)
        if runner.iter == 3:
            losses['loss_ce'] = losses['loss_ce'] + float(value)
        return losses

    monkeypatch.setattr(head, 'loss_by_feat', spoilt)
    with pytest.raises(UserInputError) as caught:
        runner.train()
    text = str(caught.value)
    assert text.startswith(
        f'Expected a finite loss, but `loss` is {value} at iteration 4, of '
        'the images '
    ) or text.startswith(
        f'Expected a finite loss, but `decode.loss_ce` is {value} at '
        'iteration 4, of the images '
    )
    names = text.split('of the images ')[1].split('. ')[0].split(', ')
    photos = {path.stem for path in photos_of(config)}
    assert len(names) == 4
    assert {Path(name).stem for name in names} <= photos
    last = Path(config.work_dir) / 'iter_2.pth'
    assert f'The last checkpoint, {last}, is from before.' in text
    assert sorted(Path(config.work_dir).glob('*.pth')) == [last]


def photos_of(config: Config) -> list[Path]:
    root = Path(config.train_dataloader.dataset.data_root)
    return list((root / 'JPEGImages').glob('*.jpg'))


@pytest.mark.parametrize('tensor', ['parameter', 'statistic'])
def test_no_such_weights_are_saved(
    tensor: str, network_config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = network_config('partworld_deeplabv3plus', tensor, 0)
    runner = Runner.from_cfg(config)
    spoilt = {
        'parameter': runner.model.decode_head.conv_seg.bias.data,
        'statistic': runner.model.backbone.stem[1].running_var,
    }[tensor]
    train_step = runner.model.train_step

    def step(*args: object, **kwargs: object) -> dict:
        losses = train_step(*args, **kwargs)
        spoilt[0] = float('nan')
        return losses

    monkeypatch.setattr(runner.model, 'train_step', step)
    config.train_cfg.max_iters = 1
    runner.train_loop._max_iters = 1
    name = dict(
        parameter='decode_head.conv_seg.bias',
        statistic='backbone.stem.1.running_var',
    )[tensor]
    with pytest.raises(
        UserInputError, match=f'1 tensors .* the first is `{name}`'
    ):
        runner.train()
    assert not list(Path(config.work_dir).glob('*.pth'))


def test_a_good_training_goes_on(network_config: Make) -> None:
    config = network_config('partworld_mask2former', 'good', 0)
    config.train_cfg.max_iters = 1
    Runner.from_cfg(config).train()
    assert (Path(config.work_dir) / 'iter_1.pth').is_file()
