# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Jobs keep their order, and a failure is only its own."""

import logging
import math

import pytest
from mmengine.logging import MMLogger

from mmfmwsss.apis.parallel import report_failures, run_all


@pytest.mark.parametrize('workers', [1, 2])
def test_order_and_failures(workers):
    jobs = [*range(40), -1, 9]
    outcomes = run_all(math.sqrt, jobs, workers, 'roots')
    assert [o.result for o in outcomes[:40]] == [
        math.sqrt(j) for j in jobs[:40]
    ]
    assert outcomes[40].result is None
    assert outcomes[40].failure.startswith('ValueError: ')
    assert outcomes[41] == (3.0, None)


def test_failures_are_listed_up_to_a_number(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        caplog.set_level(logging.INFO)
        good = run_all(math.sqrt, [4], 1, 'roots')
        assert report_failures(['four'], good, logger) == 0
        assert not caplog.records
        names = [f'job {i}' for i in range(61)]
        outcomes = run_all(math.sqrt, [4] + [-1] * 60, 1, 'roots')
        assert report_failures(names, outcomes, logger) == 60
    finally:
        logger.removeHandler(caplog.handler)
    (record,) = caplog.records
    text = record.getMessage()
    assert '60 of 61 images failed' in text
    assert 'job 1: ValueError' in text
    assert 'job 0:' not in text
    assert 'and 10 more' in text
