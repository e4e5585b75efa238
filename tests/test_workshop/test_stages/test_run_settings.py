# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Runs moved, made smaller, and spread over processes, by hand."""

import pytest
from mmengine.config import Config

from mmfmwsss.workshop.stages.run_settings import (
    final_checkpoint,
    launch_words,
    moved_folders,
    small_dataset,
    small_training,
)


def test_moved_folders() -> None:
    config = Config(
        dict(
            model=dict(a='work/x', b=['other', dict(c='work/y/z')]),
            data='work',
            like='workshop/x',
            left='work/out',
        )
    )
    assert moved_folders(config, ('model', 'data', 'like'), 'work', 'new') == {
        'model.a': 'new/x',
        'model.b.1.c': 'new/y/z',
        'data': 'new',
    }


def test_small_dataset() -> None:
    inner = dict(type='PseudoLabelDataset')
    config = Config(
        dict(
            train=dict(dataset=dict(type='RepeatDataset', dataset=inner)),
            val=dict(dataset=dict(type='GroundTruthDataset')),
            test=dict(dataset=dict(type='ImageLabelDataset', test_mode=True)),
        )
    )
    assert small_dataset(config, 'train', 6) == {
        'train.dataset.dataset.max_missing': 1.0
    }
    assert small_dataset(config, 'val', 6) == {'val.dataset.indices': 6}
    # As many of those with labels as training counts
    assert small_dataset(config, 'test', 6) == {
        'test.dataset.indices': 6,
        'test.dataset.test_mode': False,
        'test.dataset.drop_unlabelled': True,
    }


def training(**train_cfg: int) -> Config:
    return Config(
        dict(
            train_cfg=train_cfg,
            train_dataloader=dict(batch_size=16),
            param_scheduler=[
                dict(begin=0, end=100),
                dict(begin=100, end=1000, T_max=1000),
            ],
        )
    )


def test_a_training_by_iterations_keeps_its_passes() -> None:
    """1,000 of batch 16 are 20 passes over 800; over 80, 100."""
    config = training(max_iters=1000)
    assert small_training(config, 1.0, None, 800) == {}
    options = small_training(config, 1.0, 80, 800)
    assert options == {
        'train_cfg.max_iters': 100,
        'param_scheduler.0.begin': 0,
        'param_scheduler.0.end': 10,
        'param_scheduler.1.begin': 10,
        'param_scheduler.1.end': 100,
        'param_scheduler.1.T_max': 100,
    }
    # 8 images are a batch of 8: 20 iterations are 20 passes.
    options = small_training(config, 1.0, 8, 800)
    assert options['train_dataloader.batch_size'] == 8
    assert options['train_cfg.max_iters'] == 20
    assert small_training(config, 1.0, 900, 800) == {}


def test_a_training_by_epochs_is_cut_by_the_share() -> None:
    config = training(max_epochs=1000)
    assert small_training(config, 1.0, 80, 800) == {}
    options = small_training(config, 0.5, 80, 800)
    assert options['train_cfg.max_epochs'] == 500
    assert small_training(config, 1e-9, None, None)[
        'train_cfg.max_epochs'
    ] == (2)


def test_the_shortest_training_is_not_made_longer() -> None:
    for name in ('max_epochs', 'max_iters'):
        shortest = training(**{name: 1})
        assert small_training(shortest, 1.0, None, 800) == {}
        assert small_training(shortest, 0.1, None, 800) == {}
    # More of it is what was asked for
    longer = small_training(training(max_epochs=1), 3.0, None, None)
    assert longer['train_cfg.max_epochs'] == 3


def test_final_checkpoint() -> None:
    assert final_checkpoint(training(max_iters=7), 'a') == 'a/iter_7.pth'
    assert final_checkpoint(training(max_epochs=7), 'a') == 'a/epoch_7.pth'


@pytest.mark.parametrize(
    ('processes', 'batch', 'expected'),
    [
        (1, 16, ''),
        (1, None, ''),
        (4, None, 'tools/dist_test.sh c.py 4 x'),
        (
            4,
            16,
            'tools/dist_train.sh c.py 4 x '
            '--cfg-options train_dataloader.batch_size=4',
        ),
        # 6 do not divide 16: 4 do
        (
            6,
            16,
            'tools/dist_train.sh c.py 4 x '
            '--cfg-options train_dataloader.batch_size=4',
        ),
        (3, 1, ''),
    ],
)
def test_launch_words(
    processes: int, batch: int | None, expected: str
) -> None:
    words = launch_words(('tools/any.py', 'c.py', 'x'), processes, batch)
    assert ' '.join(words) == expected


def test_launch_words_add_to_the_options() -> None:
    command = ('tools/train.py', 'c.py', '--cfg-options', 'a=1')
    assert launch_words(command, 2, 4)[-3:] == (
        '--cfg-options',
        'a=1',
        'train_dataloader.batch_size=2',
    )
