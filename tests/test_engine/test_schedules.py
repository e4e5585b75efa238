# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Every training reaches its rate, and ends where its recipe says."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from torch import nn

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
BATCHES = 7  # in an epoch, as 100 photos in batches of 16 have
NETWORKS = (
    'animals_deeplabv3plus',
    'animals_mask2former',
    'partworld_deeplabv3plus',
    'partworld_mask2former',
    'voc_deeplabv3plus_r101',
    'voc_mask2former_swin_l',
    'coco_deeplabv3plus_r101',
    'coco_mask2former_swin_l',
)
# Configs whose schedule or model depends on a variable.
VARIANTS: dict[str, list[dict[str, str]]] = {
    'custom_': [
        dict(CUSTOM_PROMPT_EPOCHS=epochs, CUSTOM_NETWORK_EPOCHS=epochs)
        for epochs in ('1', '2', '3', '25')
    ]
    + [dict(CUSTOM_MODELS=models) for models in ('photo', 'tiny')],
    'animals_prompt': [
        dict(ANIMALS_PROMPT_EPOCHS=epochs) for epochs in ('1', '2', '5', '25')
    ],
    'animals_deeplabv3plus': [{}, dict(ANIMALS_NETWORK_ITERATIONS='300')],
    'ablation/network': [dict(ABLATION_NETWORK=name) for name in NETWORKS],
    'ablation/': [
        dict(ABLATION_DATASET=name)
        for name in ('animals', 'partworld', 'voc', 'coco')
    ],
}
RUNS = [
    pytest.param(path, variables, id=f'{path.stem}-{number}')
    for path in sorted(CONFIGS.rglob('*.py'))
    for number, variables in enumerate(
        next(
            (
                found
                for start, found in VARIANTS.items()
                if path.relative_to(CONFIGS).as_posix().startswith(start)
            ),
            [{}],
        )
    )
]


class Rates(Runner):
    """The runner's own building of schedules, without data and model."""

    def __init__(self, config: Config) -> None:
        cfg = config.train_cfg
        self._by_epoch = cfg.get('by_epoch', False)
        self._max_epochs = cfg.get('max_epochs')
        self._max_iters = cfg.get('max_iters') or self._max_epochs * BATCHES
        self._train_dataloader = [None] * BATCHES
        self._train_loop = self
        self.model = nn.Sequential(nn.Linear(1, 1))
        settings = config.optim_wrapper.to_dict()
        settings.pop('paramwise_cfg', None)
        settings['type'] = 'OptimWrapper'
        self.optim_wrapper = build_optim_wrapper(self.model, settings)

    max_epochs = property(lambda self: self._max_epochs)
    max_iters = property(lambda self: self._max_iters)
    train_dataloader = property(lambda self: self._train_dataloader)
    logger = property(lambda self: Quiet())

    def of_each_iteration(self, schedulers: Any) -> list[float]:
        """What ParamSchedulerHook makes of the rate."""
        built = self.build_param_scheduler(schedulers)
        (group,) = self.optim_wrapper.param_groups
        rates = []
        for number in range(self._max_iters):
            rates.append(group['lr'])
            for scheduler in built:
                ends_epoch = (number + 1) % BATCHES == 0
                if not scheduler.by_epoch or (self._by_epoch and ends_epoch):
                    scheduler.step()
        return rates


class Quiet:
    """Logs nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def cosine(lr: float, step: int, period: int) -> float:
    return lr * (1 + math.cos(math.pi * step / period)) / 2


def last_rate(path: Path, config: Config) -> float:
    """What the recipe named in the config's text ends with."""
    lr = config.optim_wrapper.optimizer.lr
    name = path.relative_to(CONFIGS).as_posix()
    if 'official' in name:
        falling = config.param_scheduler[-1]
        step = config.train_cfg.max_iters - 1 - falling.begin
        return cosine(lr, step, falling.end - falling.begin)
    if config.model.type == 'CLIPPromptSegmentor':
        if config.train_cfg.get('by_epoch'):  # CoOp's
            epochs = config.train_cfg.max_epochs
            return cosine(lr, max(0, epochs - 2), epochs)
        return cosine(lr, 379, 380)
    # mmseg's for the two networks of VOC and COCO, PartWorld's.
    return {0.01: 1e-4, 1e-4: 0.0, 2e-3: 1e-5, 5e-4: 1e-5}[lr]


_SEEN: dict[str, list[float]] = {}


@pytest.mark.filterwarnings('ignore:Detected call of `scheduler.step')
@pytest.mark.parametrize(('path', 'variables'), RUNS)
def test_every_training_learns(
    path: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    config = Config.fromfile(path)
    if config.get('train_cfg') is None or 'param_scheduler' not in config:
        pytest.skip('trains nothing')
    key = json.dumps(
        [
            config.param_scheduler,
            config.train_cfg.to_dict(),
            config.optim_wrapper.optimizer.to_dict(),
        ]
    )
    if key not in _SEEN:
        _SEEN[key] = Rates(config).of_each_iteration(config.param_scheduler)
    rates = _SEEN[key]
    lr = config.optim_wrapper.optimizer.lr
    assert max(rates) == pytest.approx(lr, rel=1e-6)
    # More than half the peak for at least a fifth of the way.
    assert sum(rate > lr / 2 for rate in rates) >= len(rates) / 5
    assert rates[-1] == pytest.approx(
        last_rate(path, config), rel=1e-3, abs=1e-9
    )
    # The rates of parts, such as a tenth for the backbone, fall as well.
    lowest = max(s.get('eta_min', 0.0) for s in config.param_scheduler)
    assert lowest <= lr * least_multiplier(config)


def least_multiplier(config: Config) -> float:
    """The smallest share of the rate that a part of the model learns at."""
    settings = config.optim_wrapper.get('paramwise_cfg', {})
    parts = settings.get('custom_keys', {}).values()
    return min((part.get('lr_mult', 1.0) for part in parts), default=1.0)


def test_own_photos_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """CoOp's epochs: 1e-5 once, then the cosine of all epochs."""
    monkeypatch.setenv('CUSTOM_PROMPT_EPOCHS', '4')
    config = Config.fromfile(CONFIGS / 'custom_prompt.py')
    rates = Rates(config).of_each_iteration(config.param_scheduler)
    # 0.002 (1 + cos(k pi / 4)) / 2 for k = 0, 1, 2
    expected = [1e-5, 2e-3, 1.7071068e-3, 1e-3]
    assert rates[::BATCHES] == pytest.approx(expected, rel=1e-6)
    assert torch.tensor(rates).unique().numel() == 4
