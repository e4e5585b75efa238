# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import pytest
import torch

from mmfmwsss.models.masks.batching import is_out_of_memory, map_in_batches

CPU_MESSAGE = (
    'DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.'
)


@pytest.mark.parametrize(
    ('error', 'expected'),
    [
        (torch.cuda.OutOfMemoryError('CUDA out of memory'), True),
        (RuntimeError(CPU_MESSAGE), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError('Unable to allocate 9. GiB for an array'), True),
        (RuntimeError('shapes do not fit'), False),
    ],
)
def test_is_out_of_memory(error, expected):
    assert is_out_of_memory(error) is expected


@pytest.mark.parametrize('batch_size', [1, 3, 10, 99])
def test_rows_stay_in_order(batch_size):
    rows = torch.arange(10)
    result = map_in_batches(lambda batch: batch * 2, rows, batch_size)
    assert torch.equal(torch.cat(result), rows * 2)


def test_no_rows():
    assert map_in_batches(lambda batch: batch, torch.zeros(0), 4) == []


@pytest.mark.parametrize(
    'error', [RuntimeError(CPU_MESSAGE), MemoryError('no room')]
)
def test_halves_until_it_fits_and_skips_nothing(error):
    sizes = []

    def limited(batch):
        sizes.append(len(batch))
        if len(batch) > 2:
            raise error
        return batch

    rows = torch.arange(10)
    result = map_in_batches(limited, rows, 8)
    assert torch.equal(torch.cat(result), rows)
    assert sizes == [8, 4, 2, 2, 2, 2, 2]


def test_gives_up_at_a_single_row():
    def never(batch):
        raise RuntimeError(CPU_MESSAGE)

    with pytest.raises(RuntimeError, match='not enough memory'):
        map_in_batches(never, torch.arange(4), 4)


def test_other_errors_pass():
    def broken(batch):
        raise RuntimeError('shapes do not fit')

    with pytest.raises(RuntimeError, match='shapes do not fit'):
        map_in_batches(broken, torch.arange(4), 4)
