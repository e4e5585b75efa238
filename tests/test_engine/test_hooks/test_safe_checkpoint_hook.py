# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Whenever a run stops, there is a checkpoint to go on from."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner
from torch import nn

from mmfmwsss.engine.hooks import SafeCheckpointHook
from mmfmwsss.utils import UserInputError

CONFIGS = Path(__file__).parents[3] / 'configs'


class Line(BaseModel):
    """Learns to be 0."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 1)

    def forward(self, inputs: Any, mode: str = 'loss') -> Any:
        value = self.linear(torch.stack(inputs)).square().mean()
        return dict(loss=value) if mode == 'loss' else [value]


class Rising(BaseMetric):
    """Each validation is better than the one before."""

    score = 0

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(1)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        Rising.score += 1
        return dict(acc=float(Rising.score))


def runner(work: Path, resume: bool = False, **hook: Any) -> Runner:
    torch.manual_seed(0)
    loader = dict(
        batch_size=2,
        dataset=[{'inputs': torch.full((4,), i + 1.0)} for i in range(4)],
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=pseudo_collate,
    )
    validation: dict[str, Any] = {}
    if 'save_best' in hook:
        validation = dict(
            val_dataloader=loader,
            val_cfg=dict(),
            val_evaluator=Evaluator(Rising()),
        )
    return Runner(
        model=Line(),
        work_dir=str(work),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=4),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3, momentum=0.9)),
        default_hooks=dict(
            checkpoint=dict(
                type='mmseg.SafeCheckpointHook', interval=1, **hook
            )
        ),
        randomness=dict(seed=0),
        resume=resume,
        default_scope='mmengine',
        experiment_name=f'{work.parent.name}_{work.name}_{resume}',
        log_level='ERROR',
        **validation,
    )


def weights(path: Path) -> dict[str, torch.Tensor]:
    return CheckpointLoader.load_checkpoint(str(path))['state_dict']


def files(work: Path) -> list[str]:
    """All but the config that mmengine writes."""
    found = [path for path in work.iterdir() if path.is_file()]
    return sorted(path.name for path in found if path.suffix != '.py')


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, torch.Tensor]:
    """The end of a run that nothing disturbed."""
    runner(tmp_path / 'whole', max_keep_ckpts=1).train()
    assert files(tmp_path / 'whole') == ['epoch_4.pth', 'last_checkpoint']
    return weights(tmp_path / 'whole' / 'epoch_4.pth')


def assert_resumes(
    work: Path, whole: dict[str, torch.Tensor], last: str
) -> None:
    """The folder names a whole checkpoint, from which the run ends alike."""
    name = Path((work / 'last_checkpoint').read_text())
    assert name == work / last
    assert weights(name).keys() == whole.keys()
    runner(work, resume=True, max_keep_ckpts=1).train()
    end = weights(work / 'epoch_4.pth')
    assert all(torch.equal(end[k], whole[k]) for k in whole)
    assert files(work) == ['epoch_4.pth', 'last_checkpoint']


def full_disk(name: str, part: int = 100) -> Callable[..., int]:
    """Path.write_bytes, on a disk that is full for some files."""
    write = Path.write_bytes

    def write_bytes(path: Path, content: bytes) -> int:
        if name not in path.name:
            return write(path, content)
        write(path, content[:part])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return write_bytes


def test_a_full_disk_keeps_the_old_one(
    tmp_path: Path,
    whole: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = tmp_path / 'run'
    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', full_disk('epoch_3'))
        with pytest.raises(
            UserInputError,
            match=r'write \S*epoch_3\.pth, but: No space left.*Free space',
        ):
            runner(work, max_keep_ckpts=1).train()
    assert files(work) == ['epoch_2.pth', 'last_checkpoint']
    assert_resumes(work, whole, 'epoch_2.pth')


def test_a_full_disk_for_the_name_of_the_last(
    tmp_path: Path,
    whole: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = tmp_path / 'run'
    write = Path.write_text

    def write_text(path: Path, text: str, *args: Any, **kwargs: Any) -> int:
        if text.endswith('epoch_3.pth'):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, text, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_text', write_text)
        with pytest.raises(UserInputError, match='last_checkpoint'):
            runner(work, max_keep_ckpts=1).train()
    assert files(work) == ['epoch_2.pth', 'epoch_3.pth', 'last_checkpoint']
    assert_resumes(work, whole, 'epoch_2.pth')


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """No file of this process may be larger, as the system enforces it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_the_system_cuts_short(tmp_path: Path) -> None:
    work = tmp_path / 'run'
    first = runner(work, max_keep_ckpts=1)
    first.train_loop._max_epochs = 1
    first.train()
    assert files(work) == ['epoch_1.pth', 'last_checkpoint']
    second = runner(work, resume=True, max_keep_ckpts=1)
    with (
        limited_files(1000),
        pytest.raises(
            UserInputError, match=r'epoch_2\.pth, but: File too large'
        ),
    ):
        second.train()
    assert files(work) == ['epoch_1.pth', 'last_checkpoint']
    assert weights(work / 'epoch_1.pth')


class Killed(BaseException):
    """Stands in for kill -9: nothing of ours catches it."""


@pytest.mark.parametrize(
    ('step', 'left', 'last'),
    [
        ('write', ['epoch_2.pth'], 'epoch_2.pth'),
        ('name', ['epoch_2.pth', 'epoch_3.pth'], 'epoch_2.pth'),
        ('remove', ['epoch_2.pth', 'epoch_3.pth'], 'epoch_3.pth'),
    ],
)
def test_killed_between_the_steps(
    step: str,
    left: list[str],
    last: str,
    tmp_path: Path,
    whole: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = tmp_path / 'run'
    original = dict(
        write=SafeCheckpointHook._save_checkpoint_with_step,
        remove=SafeCheckpointHook._keep,
    )

    def killed(hook: Any, runner: Runner, *args: Any, **kwargs: Any) -> None:
        if runner.epoch == 2:
            raise Killed
        original[step](hook, runner, *args, **kwargs)

    def killed_at_name(source: Any, target: Any) -> None:
        if Path(target).name == 'last_checkpoint' and (
            (work / 'epoch_3.pth').exists()
        ):
            raise Killed
        rename(source, target)

    rename = os.replace
    with monkeypatch.context() as patch:
        if step == 'name':
            patch.setattr(os, 'replace', killed_at_name)
        else:
            patch.setattr(
                SafeCheckpointHook,
                dict(write='_save_checkpoint_with_step', remove='_keep')[step],
                killed,
            )
        with pytest.raises(Killed):
            runner(work, max_keep_ckpts=1).train()
    assert files(work) == [*left, 'last_checkpoint']
    assert_resumes(work, whole, last)


def test_the_best_one_is_removed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / 'run'
    options = dict(max_keep_ckpts=1, save_best='acc')
    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', full_disk('best_acc_epoch_3'))
        with pytest.raises(UserInputError, match='No space left'):
            runner(work, **options).train()
    assert [n for n in files(work) if 'best' in n] == ['best_acc_epoch_2.pth']
    runner(work, resume=True, **options).train()
    assert files(work) == [
        'best_acc_epoch_4.pth', 'epoch_4.pth', 'last_checkpoint',
    ]  # fmt: skip


def test_it_is_what_the_configs_take() -> None:
    config = Config.fromfile(CONFIGS / '_base_' / 'default_runtime.py')
    assert config.default_hooks.checkpoint.type == 'SafeCheckpointHook'
    for path in sorted((CONFIGS / 'fmwsss').rglob('*.py')):
        hooks = Config.fromfile(path).get('default_hooks')
        if hooks is not None:
            assert hooks.checkpoint.type == 'SafeCheckpointHook', path
