# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Two processes on the CPU do what one does."""

import json
import operator
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

from mmfmwsss.engine import InferenceDataParallel, prepare_processes
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.tiny_models import random_clip_arch

ROOT = Path(__file__).parents[2]
SAMS = dict(type='SAMS', alpha=0.6)
MODEL = dict(
    type='CLIPPromptSegmentor',
    clip=dict(type='FrozenCLIP', arch=random_clip_arch()),
    class_prompts=dict(classes=['cat', 'dog', 'car'], background=['sky']),
    streams=dict(
        classification=dict(
            type='CLIPPromptHead',
            prompts=dict(type='LearnablePrompts', context_length=4),
            loss=dict(type='MultiLabelContrastiveLoss'),
        ),
        segmentation=dict(
            type='CLIPPromptHead',
            prompts=dict(
                type='LearnablePrompts', context_length=4,
                class_specific=True, name_position='front',
            ),
            # Smooth. L_CAL has kinks, where rounding decides: between the
            # pixels of a map that share its peak.
            loss=dict(type='CAMCrossEntropyLoss', loss_weight=100.0),
        ),
    ),
    caa=dict(type='CAA'),
    training_route=dict(stream='classification', seeder=SAMS),
    routes=dict(fine_seed=dict(stream='segmentation', seeder=SAMS)),
)  # fmt: skip
LABELS = [[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]]


def torchrun(*arguments: str, **environment: str) -> str:
    """Two processes; what they print."""
    result = subprocess.run(
        [
            sys.executable, '-m', 'torch.distributed.run', '--standalone',
            '--nproc_per_node', '2', *arguments,
        ],
        cwd=ROOT,
        env=os.environ
        | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
        | environment,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    output = result.stdout + result.stderr
    assert result.returncode == 0, output[-3000:]
    return output


def batch(labels: list[list[int]]) -> tuple[torch.Tensor, list[Any]]:
    generator = torch.Generator().manual_seed(3)
    samples = []
    for row in labels:
        sample = SegDataSample()
        sample.image_labels = torch.tensor(row, dtype=torch.bool)
        masks = torch.zeros(3, 32, 32, dtype=torch.bool)
        masks[0, :10], masks[1, 10:20], masks[2, 20:, 20:] = True, True, True
        sample.sam_masks = SAMMasks(
            masks, torch.tensor([2, 2, 1]), torch.ones(3), torch.ones(3)
        )
        samples.append(sample)
    return torch.randn(len(labels), 3, 32, 32, generator=generator), samples


@pytest.mark.slow
def test_losses_and_gradients_are_those_of_one_process(
    tmp_path: Path,
) -> None:
    # `uneven`: nothing to learn from in the second process.
    uneven = [LABELS[0], [0, 0, 0], LABELS[2], [0, 0, 0]]
    batches = dict(uneven=batch(uneven), even=batch(LABELS))
    torch.save(dict(config=MODEL, batches=batches), tmp_path / 'batches')
    script = str(Path(__file__).with_name('distributed_step.py'))
    torchrun(script, str(tmp_path / 'batches'), str(tmp_path / 'out'))
    shares = [
        torch.load(tmp_path / f'out.{rank}', weights_only=True)
        for rank in (0, 1)
    ]
    torch.manual_seed(0)
    model = MODELS.build(MODEL)
    for name, (inputs, samples) in batches.items():
        model.zero_grad()
        losses = model(inputs, samples, mode='loss')
        sum(losses.values()).backward()
        # One process averages over what counts; of two, each weighs the same,
        # and one has nothing.
        factor = 1.0 if name == 'even' else 0.5
        for key, loss in losses.items():
            both = [share[name]['losses'][key] for share in shares]
            expected = factor * loss.detach()
            torch.testing.assert_close(
                sum(both) / 2, expected, rtol=2e-6, atol=0
            )
        for key, parameter in model.named_parameters():
            largest = parameter.grad.abs().max()
            assert largest > 0
            for share in shares:  # both have the mean
                difference = (
                    share[name]['grads'][key] - factor * parameter.grad
                )
                assert difference.abs().max() < 5e-6 * largest


@pytest.mark.slow
def test_tools_with_two_processes(
    prompt_config: Callable[..., Config],
    train: Callable[[Config], Any],
    prompts_of: Callable[[Config, str], dict[str, Any]],
    partworld_root: Path,
    box_masks: Path,
    tmp_path: Path,
) -> None:
    single = prompt_config('single', iters=2, batch_size=4)
    train(single)
    double = prompt_config('double', iters=2, batch_size=2)
    double.dump(tmp_path / 'double.py')
    torchrun(
        'tools/train.py', str(tmp_path / 'double.py'), '--launcher', 'pytorch'
    )
    learnt = prompts_of(single, 'iter_2.pth')
    start = dict(MODELS.build(single.model).named_parameters())
    for name, value in prompts_of(double, 'iter_2.pth').items():
        moved = (learnt[name] - start[name]).abs().max()
        assert moved > 1e-4
        # 1e-6 of the gradient but for kinks of L_CAL, see above
        assert (value - learnt[name]).abs().max() < 5e-3 * moved

    def test_config(name: str) -> Config:
        config = Config.fromfile(
            ROOT / 'configs' / 'fmwsss' / 'partworld_prompt.py'
        )
        config.work_dir = str(tmp_path / name)
        config.experiment_name = f'{tmp_path.name}_{name}'
        config.load_from = str(tmp_path / 'single' / 'prompts.pth')
        config.test_dataloader.num_workers = 0
        for transform in config.test_dataloader.dataset.pipeline:
            if transform.type == 'LoadSAMMasks':
                transform.mask_dir = str(box_masks)
        config.test_evaluator.output_dir = str(tmp_path / name / 'seeds')
        return config

    metrics = Runner.from_cfg(test_config('one')).test()
    test_config('two').dump(tmp_path / 'two.py')
    torchrun(
        'tools/test.py', str(tmp_path / 'two.py'), '--launcher', 'pytorch'
    )
    record = json.loads((tmp_path / 'two' / 'metrics.json').read_text())
    assert record['metrics'] == metrics
    assert metrics['fine_seed/images'] == 6
    one, two = (
        {
            file.name: read_label_png(file).tolist()  # notes beside it differ
            for file in (tmp_path / n / 'seeds').iterdir()
        }
        for n in ('one', 'two')
    )
    assert len(one) == 6
    assert one == two


def test_a_model_without_gradients_is_wrapped_for_a_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = InferenceDataParallel(nn.ReLU())
    for name, added in (('test_step', 1), ('val_step', 2)):
        step = partial(operator.add, added)
        monkeypatch.setattr(model.module, name, step, raising=False)
    assert (model.test_step(1), model.val_step(1)) == (2, 3)
    assert model(torch.tensor(-1.0)) == 0


def test_choice_of_the_wrapper(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = 'mmfmwsss.engine.distributed'
    monkeypatch.setattr(f'{engine}.get_device', lambda: 'cuda')
    config = Config(dict(launcher='none'))
    prepare_processes(config, training=True)
    assert config.get('model_wrapper_cfg') is None
    config.launcher = 'slurm'
    prepare_processes(config, training=True)
    assert config.model_wrapper_cfg.type == 'mmseg.AnyDeviceDataParallel'
    prepare_processes(config, training=False)  # the user's stays
    assert config.model_wrapper_cfg.type == 'mmseg.AnyDeviceDataParallel'
    config = Config(dict(launcher='slurm'))
    prepare_processes(config, training=False)
    assert config.model_wrapper_cfg.type == 'mmseg.InferenceDataParallel'

    monkeypatch.setattr(f'{engine}.get_device', lambda: 'cpu')
    with pytest.raises(UserInputError, match="pytorch.*got 'slurm'.*torchrun"):
        prepare_processes(config, training=False)
    started: list[str] = []
    monkeypatch.setattr(
        f'{engine}.torch.distributed',
        SimpleNamespace(
            is_initialized=lambda: bool(started),
            init_process_group=started.append,
        ),
    )
    config.launcher = 'pytorch'
    prepare_processes(config, training=False)
    prepare_processes(config, training=False)
    assert started == ['gloo']
