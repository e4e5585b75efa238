# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A run refuses a checkpoint that does not fit, whichever way it comes in."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner

from mmfmwsss.apis import build_runner
from mmfmwsss.utils import UserInputError, read_checkpoint
from mmfmwsss.workshop import partworld

CLASSES = ('background', *(thing.name for thing in partworld.CLASSES))


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the loaders of mmengine back."""
    schemes = dict(CheckpointLoader._schemes)
    yield
    monkeypatch.setattr(CheckpointLoader, '_schemes', schemes)


@pytest.mark.slow
@pytest.mark.parametrize(
    'name', ['partworld_deeplabv3plus', 'custom_deeplabv3plus']
)
def test_networks_note_their_classes_and_are_held_to_them(
    name: str, network_config: Callable[..., Config], tmp_path: Path
) -> None:
    config = network_config(name, 'whole', 0)
    build_runner(config, training=True).train()
    last = Path((tmp_path / 'whole/last_checkpoint').read_text())
    content = read_checkpoint(last)
    assert tuple(content['meta']['dataset_meta']['classes']) == CLASSES

    def resume(change: Callable[[dict[str, Any]], Any]) -> Runner:
        other = read_checkpoint(last)
        change(other)
        torch.save(other, tmp_path / 'changed.pth')
        again = network_config(name, 'resumed', 0)
        again.load_from, again.resume = str(tmp_path / 'changed.pth'), True
        runner = build_runner(again, training=True)
        runner.train()
        return runner

    def swap(content: dict[str, Any]) -> None:
        names = list(content['meta']['dataset_meta']['classes'])
        content['meta']['dataset_meta']['classes'] = [
            *names[:1],
            *names[:0:-1],
        ]

    def spoil(content: dict[str, Any]) -> None:
        next(iter(content['state_dict'].values()))[0] = float('nan')

    resume(lambda content: content['meta'].update(config='1 / 0'))
    with pytest.raises(UserInputError, match='class 1 is'):
        resume(swap)
    with pytest.raises(UserInputError, match='NaN or infinite'):
        resume(spoil)
    with pytest.raises(UserInputError, match='no optimizer: it holds weights'):
        resume(lambda content: content.pop('optimizer'))
    with pytest.raises(UserInputError, match='are missing'):
        resume(lambda c: c['state_dict'].pop('decode_head.conv_seg.bias'))


def test_prompts_are_held_to_their_sets(
    prompt_config: Callable[..., Config], tmp_path: Path
) -> None:
    build_runner(prompt_config('whole', iters=2), training=True).train()
    state = read_checkpoint(tmp_path / 'whole/prompts.pth')

    def start(keep: str, resume: bool = False) -> None:
        found = {k: v for k, v in state['state_dict'].items() if keep in k}
        torch.save(dict(state, state_dict=found), tmp_path / 'a.pth')
        config = prompt_config(f'from_{json.dumps(keep)[1:-1]}', iters=1)
        config.load_from, config.resume = str(tmp_path / 'a.pth'), resume
        build_runner(config, training=True).train()

    start('segmentation')  # one of two sets is a start
    with pytest.raises(UserInputError, match='Expected weights'):
        start('nothing')
    with pytest.raises(UserInputError, match='has no message_hub'):
        start('streams', resume=True)
