# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A checkpoint of mmengine's runner loads, and a crafted one does not."""

import io
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.checkpoint import load_checkpoint
from torch._weights_only_unpickler import load
from torch.utils.data import Dataset

from mmfmwsss.compat import allow_mmengine_checkpoints
from mmfmwsss.compat.checkpoints import _safe_globals, history_buffer_method


@pytest.fixture(autouse=True)
def allowed():
    allow_mmengine_checkpoints()


def load_strictly(file):
    """What mmengine 0.10.7 gets from ``torch.load`` with torch >= 2.6."""
    return torch.load(file, map_location='cpu', weights_only=True)


def test_message_hub_survives(tmp_path):
    hub = MessageHub.get_instance('test_compat')
    hub.update_scalar('train/loss', 3.0)
    hub.update_scalar('train/loss', 1.0)
    hub.update_info('best', np.float32(0.5))
    hub.update_info('counts', np.arange(3, dtype=np.uint8))
    hub.update_info('palette', np.int64(7))
    model = torch.nn.Linear(2, 1)
    file = tmp_path / 'iter_1.pth'
    torch.save(
        dict(
            meta=dict(iter=1, dataset_meta=dict(classes=('a', 'b'))),
            state_dict=model.state_dict(),
            message_hub=hub.state_dict(),
        ),
        file,
    )

    strict = load_strictly(file)
    buffer = strict['message_hub']['log_scalars']['train/loss']
    assert isinstance(buffer, HistoryBuffer)
    assert buffer.mean() == 2
    assert buffer.statistics('max') == 3
    info = strict['message_hub']['runtime_info']
    assert info['best'] == 0.5
    assert info['counts'].tolist() == [0, 1, 2]

    fresh = torch.nn.Linear(2, 1)
    loaded = load_checkpoint(fresh, str(file))
    assert torch.equal(fresh.weight, model.weight)
    assert loaded['meta']['iter'] == 1


class Points(Dataset):
    @property
    def metainfo(self):
        return dict(classes=('a',), palette=[[0, 0, 0]])

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return torch.tensor([float(index)])


class Line(BaseModel):
    """The least that mmengine's runner trains."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='loss'):
        return dict(loss=self.linear(inputs).square().mean())

    def train_step(self, data, optim_wrapper):
        losses = self(data)
        optim_wrapper.update_params(losses['loss'])
        return losses


def run(work_dir, iterations, resume):
    runner = Runner(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=2,
            dataset=Points(),
            sampler=dict(type='InfiniteSampler'),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=False, max_iters=iterations),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1)),
        param_scheduler=[dict(type='PolyLR', by_epoch=False, end=8)],
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2),
            logger=dict(
                type='LoggerHook', interval=1, log_metric_by_epoch=False
            ),
        ),
        resume=resume,
        default_scope='mmengine',
        experiment_name=f'resume_{iterations}',
        log_level='ERROR',
    )
    runner.train()
    return runner


def test_a_run_resumes_from_its_own_checkpoint(tmp_path):
    run(tmp_path, 2, resume=False)
    strict = load_strictly(tmp_path / 'iter_2.pth')
    assert strict['message_hub']['log_scalars']['train/loss'].data[0].size == 2

    resumed = run(tmp_path, 4, resume=True)
    assert resumed.iter == 4
    history = resumed.message_hub.get_scalar('train/loss').data[0]
    assert history.size == 4


@pytest.mark.parametrize(
    'core', [b'numpy.core.multiarray', b'numpy._core.multiarray']
)
def test_files_of_numpy_1_and_2_are_readable(core):
    written = pickle.dumps([np.float64(2.5), np.arange(3)], protocol=2)
    written = re.sub(rb'numpy\._?core\.multiarray', core, written)
    number, array = load(io.BytesIO(written))
    assert number == 2.5
    assert array.tolist() == [0, 1, 2]


def test_without_permission_the_history_is_refused(tmp_path):
    file = tmp_path / 'history.pth'
    torch.save(HistoryBuffer([1.0], [1]), file)
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        with pytest.raises(pickle.UnpicklingError):
            load_strictly(file)
        allow_mmengine_checkpoints()
        assert load_strictly(file).current() == 1
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def test_nothing_but_the_needed_is_allowed(tmp_path):
    names = {getattr(item, '__name__', str(item)) for item in _safe_globals()}
    assert 'getattr' not in names
    torch.save(dict(x=print), tmp_path / 'crafted.pth')
    with pytest.raises(pickle.UnpicklingError, match='print'):
        load_strictly(tmp_path / 'crafted.pth')


def test_getattr_reaches_public_methods_of_the_history_only():
    assert history_buffer_method(HistoryBuffer, 'mean') is HistoryBuffer.mean
    with pytest.raises(ValueError, match='public methods'):
        history_buffer_method(HistoryBuffer, '__init__')
    with pytest.raises(ValueError, match='public methods'):
        history_buffer_method(np.ndarray, 'tofile')
    with pytest.raises(ValueError, match='public methods'):
        history_buffer_method(HistoryBuffer, 'register_statistics')
