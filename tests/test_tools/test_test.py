# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What tools/test.py makes of a config before the run."""

import runpy
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).parents[2]


def test_augmentation_of_each_data_set_in_a_wrapper() -> None:
    tool = runpy.run_path(str(ROOT / 'tools' / 'test.py'))
    inner = dict(type='A', pipeline=['plain'])
    config = Config(
        dict(
            model=dict(type='EncoderDecoder'),
            tta_pipeline=['copies'],
            test_dataloader=dict(
                dataset=dict(
                    type='ConcatDataset',
                    datasets=[
                        inner,
                        dict(type='RepeatDataset', times=2, dataset=inner),
                    ],
                )
            ),
            test_evaluator=dict(type='IoUMetric'),
        )
    )
    tool['set_augmentation'](config)
    first, second = config.test_dataloader.dataset.datasets
    assert first.pipeline == second.dataset.pipeline == ['copies']
    assert 'pipeline' not in config.test_dataloader.dataset
    assert config.model.type == 'SegTTAModel'
