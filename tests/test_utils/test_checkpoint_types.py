# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What a checkpoint may be made of, while it is read and afterwards."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import serialization

from mmfmwsss.utils.checkpoint_types import only_checkpoint_types


class Foreign:
    """A type that another package has allowed."""


def saved(content: Any) -> io.BytesIO:
    stream = io.BytesIO()
    torch.save(content, stream)
    stream.seek(0)
    return stream


def load(content: Any) -> Any:
    with only_checkpoint_types():
        return torch.load(saved(content), weights_only=True)


@pytest.mark.parametrize('kind', ['?', '<i8', '>i2', 'u1', 'f2', '>f8', 'c16'])
def test_arrays_and_numbers_as_numpy_saved_them(kind: str) -> None:
    array = (np.arange(12).reshape(3, 4) % 3).astype(kind)
    content = dict(
        rows=array, columns=np.asfortranarray(array), one=array[1, 2]
    )
    found = load(content)
    for name, expected in content.items():
        np.testing.assert_array_equal(found[name], expected)
        native = expected.dtype.newbyteorder('=')
        assert found[name].dtype == native
    # What was read can be saved again, and is a plain array then
    again = pickle.loads(pickle.dumps(found['rows']))
    assert type(again) is np.ndarray
    np.testing.assert_array_equal(again, array)


def test_statistics_of_a_training() -> None:
    history = HistoryBuffer([1.0, 2.0, 6.0], [1, 1, 1])
    assert load(dict(loss=history))['loss'].mean() == 3


@pytest.mark.parametrize(
    'content',
    [
        np.array(['a', 'b']),
        np.array([{'a': 1}], object),
        np.zeros(2, [('a', 'f4'), ('b', 'i4')]),
        np.array(['2026-11-27'], 'M8[D]'),
        Foreign(),
        Path('a'),
    ],
    ids=['texts', 'objects', 'fields', 'dates', 'foreign', 'path'],
)
def test_other_types_are_refused(content: Any) -> None:
    with (
        serialization.safe_globals([Foreign]),
        pytest.raises((pickle.UnpicklingError, ValueError)),
    ):
        load(dict(content=content))


def leave_by_an_error() -> None:
    with only_checkpoint_types():
        raise KeyError


def test_what_others_allow_is_put_aside_and_given_back() -> None:
    with serialization.safe_globals([Foreign]):
        before = set(serialization.get_safe_globals())
        with only_checkpoint_types():
            assert Foreign not in serialization.get_safe_globals()
        assert set(serialization.get_safe_globals()) == before
        with pytest.raises(KeyError):
            leave_by_an_error()
        assert set(serialization.get_safe_globals()) == before
        found = torch.load(saved(Foreign()), weights_only=True)
        assert isinstance(found, Foreign)
