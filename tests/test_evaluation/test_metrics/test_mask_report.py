# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import logging

import pytest
from mmengine.logging import MMLogger
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

import mmfmwsss.evaluation.metrics.mask_report  # noqa: F401


def sample(name, status, level_counts=(0, 0, 0), reason=''):
    report = dict(
        name=name,
        status=status,
        reason=reason,
        level_counts=list(level_counts),
    )
    return SegDataSample(metainfo=dict(sam_masks_report=report)).to_dict()


@pytest.fixture
def metric():
    return METRICS.build(dict(type='SAMMaskReport'))


def test_counts(metric):
    metric.process(None, [sample('a', 'done', (1, 2, 3))])
    metric.process(
        None,
        [
            sample('b', 'skipped', (0, 0, 4)),
            sample('c', 'failed', reason='truncated'),
        ],
    )
    assert metric.evaluate(3) == dict(
        images=3,
        done=1,
        skipped=1,
        failed=1,
        masks_per_image=5.0,
        masks_whole=7,
        masks_part=2,
        masks_subpart=1,
    )


def test_failures_are_named_in_the_log(metric, caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    metric.process(None, [sample('b17', 'failed', reason='truncated JPEG')])
    with caplog.at_level(logging.INFO):
        metrics = metric.evaluate(1)
    logger.removeHandler(caplog.handler)
    assert metrics['failed'] == 1
    assert metrics['masks_per_image'] == 0
    assert '1 of 1 images failed' in caplog.text
    assert 'b17: truncated JPEG' in caplog.text


def test_padding_of_a_distributed_run_is_not_counted(metric):
    metric.process(None, [sample(name, 'done', (0, 0, 1)) for name in 'aab'])
    assert metric.evaluate(2)['images'] == 2


def test_what_failed_before_the_generator_counts(metric):
    """A test loop keeps unreadable pictures from the model."""
    meta = dict(img_path='/photos/b.jpg', image_name='x/b', failure='cut off')
    metric.process(None, [SegDataSample(metainfo=meta).to_dict()])
    assert metric.results[0]['name'] == 'x/b'
    assert metric.evaluate(1)['failed'] == 1
