# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The benchmark of the seeders compares like with like."""

from mmfmwsss.workshop.benchmarks import Settings
from mmfmwsss.workshop.benchmarks.seeders import compare_seeders


def test_seeders():
    warm, cold, crf = compare_seeders(Settings(quick=True))
    assert warm.equality.startswith('seeds of SAMS and the loop')
    assert list(warm.times) == ['ours', 'loop']
    assert min(time.wall for time in warm.times.values()) > 0
    assert 'ours' in cold.times
    assert 'ours' in crf.times
