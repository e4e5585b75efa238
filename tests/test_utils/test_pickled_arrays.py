# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Parts of pickled arrays by hand, against numpy and torch, and refused."""

from pickle import UnpicklingError
from typing import Any

import numpy as np
import pytest
import torch

from mmfmwsss.utils.pickled_arrays import (
    PickledArray,
    PickledDtype,
    PickledName,
    array_of,
    frombuffer,
    plain_dtype,
    scalar,
    storage,
    tensor,
)

PLAIN = (3, '<', None, None, None, -1, -1, 0)  # the state of a dtype


@pytest.mark.parametrize('text', ['?', '<f4', '>i8', 'c16', 'S3', '=U12'])
def test_types_of_numbers_and_texts(text: str) -> None:
    assert plain_dtype(text) == np.dtype(text)


@pytest.mark.parametrize(
    'text', ['O', 'V8', 'M8', 'f4,f4', '(2,)f4', 'S0', 'f16', 'U9999999', 4]
)
def test_other_types_are_refused(text: object) -> None:
    with pytest.raises(UnpicklingError, match='dtype'):
        plain_dtype(text)


@pytest.mark.parametrize('order', ['C', 'F'])
@pytest.mark.parametrize('text', ['<f8', '>i2', '?', 'S3', '<U2', '>U2'])
def test_arrays_as_numpy_reads_them(text: str, order: Any) -> None:
    rng = np.random.default_rng(0)
    for shape in ((), (5,), (2, 3), (2, 0, 3), (4, 1, 2)):
        array = rng.integers(0, 100, shape).astype(text)
        content = array.tobytes(order)
        found = array_of(content, array.dtype, shape, order == 'F')
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype and found.flags.writeable


def test_bytes_by_hand() -> None:
    # Any byte but 0 is true; the bytes of Python 2 are a text
    truth = array_of(b'\x00\x02\xff', np.dtype('?'), 3, False)
    assert truth.tolist() == [False, True, True]
    assert array_of('\x01\xe9', np.dtype('u1'), 2, False).tolist() == [1, 233]
    # The number 0x110000 is behind the last character
    assert array_of(b'\xff\xff\x10\x00', np.dtype('<U1'), (), False)
    with pytest.raises(UnpicklingError, match='do not exist'):
        array_of(b'\x00\x00\x11\x00', np.dtype('<U1'), (), False)


@pytest.mark.parametrize(
    ('content', 'shape'),
    [
        (b'12345678', (3,)),
        (b'12345678', (1,)),
        (b'12345678', (-2,)),
        (b'1234', (True,)),
        (b'1234', (1.0,)),
        (b'1234', (1,) * 33),
        ([1, 2], (2,)),
    ],
)
def test_content_that_does_not_fit(content: Any, shape: Any) -> None:
    with pytest.raises(UnpicklingError):
        array_of(content, np.dtype('f4'), shape, False)


def test_states_of_types() -> None:
    number = PickledDtype('i4', False, True)
    number.build((3, '>', *PLAIN[2:]))
    assert number.dtype == np.dtype('>i4') and not number.is_object
    objects = PickledDtype('O8')
    objects.build((3, '|', *PLAIN[2:]))
    assert objects.is_object
    with pytest.raises(UnpicklingError, match='objects'):
        _ = objects.dtype
    for state, message in (
        ((3, '<', None, ('a',), {'a': 1}, -1, -1, 0), 'fields'),
        ((3, '<', (number, 2), None, None, -1, -1, 0), 'fields'),
        ((*PLAIN, {'metadata': 1}), 'fields'),
        ((3, '?', *PLAIN[2:]), 'byte order'),
        ((3, '<', None, None, None, 8, 4, 0), 'length'),
    ):
        with pytest.raises(UnpicklingError, match=message):
            PickledDtype('i4').build(state)


def test_arrays_of_objects_take_them_one_by_one() -> None:
    array = PickledArray()
    array.build((1, (2, 1), PickledDtype('O'), False, [[1, 2], [3, 4]]))
    found = array.unpacked(lambda item: tuple(item))
    assert found.shape == (2, 1)
    assert found.ravel().tolist() == [(1, 2), (3, 4)]
    with pytest.raises(UnpicklingError, match='do not fit'):
        array.build((1, (3,), PickledDtype('O'), False, [1, 2]))
    with pytest.raises(UnpicklingError, match='without a dtype'):
        array.build((1, (1,), np.dtype('f4'), False, b'1234'))
    with pytest.raises(UnpicklingError, match='without content'):
        PickledArray().unpacked(lambda item: item)


def test_one_number_and_an_array_of_protocol_5() -> None:
    kind = PickledDtype('<i2')
    assert scalar(kind, b'\x01\x02') == 0x0201
    found = frombuffer(b'\1\0\2\0\3\0\4\0', kind, (2, 2), 'F')
    assert found.tolist() == [[1, 3], [2, 4]]
    for call in (
        lambda: scalar('i2', b'\1\0'),
        lambda: frombuffer(b'', 'i2', (), 'C'),
        lambda: frombuffer(b'\1\0', kind, (1,), 'C', axes=(0,)),
    ):
        with pytest.raises(UnpicklingError):
            call()


def stored(numbers: Any, **changes: Any) -> Any:
    """Read a storage from five pickles, a count and the numbers."""
    parts = dict(
        magic=0x1950A86A20F9469CFC6C,
        version=1001,
        machine=dict(little_endian=True),
        kind='FloatStorage',
        keys=['key'],
        count=len(numbers),
    )
    parts.update(changes)
    name = PickledName('torch', parts['kind'])
    role = ('storage', name, 'key', 'cpu', parts['count'], None)
    pickles = [parts['magic'], parts['version'], parts['machine']]
    pickles += [('persistent', role), parts['keys']]
    content = b'pickles' + len(numbers).to_bytes(8, 'little')
    content += numbers.tobytes()
    return storage(content, iter(pickles).__next__)


@pytest.mark.parametrize(
    ('offset', 'size', 'stride'),
    [(0, (24,), (1,)), (3, (2, 3), (7, 2)), (23, (), ()), (0, (0, 5), (5, 1))],
)
def test_tensors_as_torch_strides_them(
    offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    numbers = np.arange(24, dtype=np.float32) / 7
    expected = torch.as_strided(
        torch.from_numpy(numbers), size, stride, offset
    )
    found = tensor(stored(numbers), offset, size, stride)
    assert torch.equal(found, expected) and found.is_contiguous()


def test_tensors_beyond_their_numbers_are_refused() -> None:
    numbers = stored(np.arange(6, dtype=np.float32))
    assert tensor(numbers, 5, (1,), (1,)).tolist() == [5]
    for offset, size, stride in (
        (6, (1,), (1,)),
        (0, (2, 2), (5, 1)),
        (0, (100,), (0,)),  # six numbers may not claim to be a hundred
        (-1, (1,), (1,)),
        (0, (2,), (-1,)),
    ):
        with pytest.raises(UnpicklingError):
            tensor(numbers, offset, size, stride)
    with pytest.raises(UnpicklingError, match='without numbers'):
        tensor(b'123456', 0, (1,), (1,))


@pytest.mark.parametrize(
    'changes',
    [
        dict(magic=1),
        dict(version=1002),
        dict(machine={}),
        dict(kind='ComplexStorage'),
        dict(keys=['another']),
        dict(count=7),
        dict(count=2),
        dict(count=-1),
        dict(count=True),
    ],
    ids=lambda changes: '-'.join(map(str, *changes.items())),
)
def test_other_storages_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnpicklingError):
        stored(np.arange(6, dtype=np.float32), **changes)
