# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Arrays of numpy and torch at the doors of the package."""

import numpy as np
import pytest
import torch

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.arrays import as_multi_hot, as_tensor, give_back

READ_ONLY = np.arange(3.0)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    'values',
    [
        [0, 1, 2],
        (0.0, 1.0, 2.0),
        np.arange(3)[::-1][::-1],
        np.arange(2, -1, -1)[::-1],
        np.arange(3, dtype='>f4'),
        np.arange(3, dtype=np.uint8),
        np.arange(6)[::2] // 2,
        READ_ONLY,
        torch.arange(3),
    ],
    ids=str,
)
def test_numbers_arrive_as_they_are(values):
    assert as_tensor(values, 'x').tolist() == [0, 1, 2]


def test_a_tensor_stays_itself_and_keeps_its_gradient():
    x = torch.ones(2, requires_grad=True)
    assert as_tensor(x, 'x') is x


def test_writing_to_a_read_only_array_is_not_possible():
    as_tensor(READ_ONLY, 'x')[0] = 9
    assert READ_ONLY[0] == 0


@pytest.mark.parametrize(
    'values', [['cat'], [[1], [1, 2]], None, [None], {}, 1j], ids=repr
)
def test_other_things_are_named(values):
    with pytest.raises(UserInputError, match='Expected `cams` as numbers'):
        as_tensor(values, 'cams')


@pytest.mark.parametrize('kind', [bool, np.uint8, int, np.float16, float])
@pytest.mark.parametrize('torch_too', [False, True])
def test_multi_hot_of_any_type(kind, torch_too):
    labels = np.array([[1, 0, 1]], dtype=kind)
    given = torch.from_numpy(labels) if torch_too else labels
    found = as_multi_hot(given)
    assert found.dtype == torch.bool
    assert found.tolist() == [[True, False, True]]


@pytest.mark.parametrize('value', [2, 0.5, float('nan'), -1])
def test_what_is_not_multi_hot_is_named_with_its_place(value):
    with pytest.raises(UserInputError, match=rf'got {value:g} at \[0, 1\]'):
        as_multi_hot([[0, value]])


def test_results_are_of_the_kind_given():
    result = torch.ones(2, requires_grad=True) * 2
    assert give_back(result, torch.zeros(1)) is result
    array = give_back(result, np.zeros(1))
    assert isinstance(array, np.ndarray) and array.tolist() == [2, 2]
