# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The pickle machine against Python's own, by hand, and what it refuses."""

import collections
import datetime
import io
import os
import pickle
import sys
from pickle import UnpicklingError
from typing import Any

import pytest

from mmfmwsss.utils import safe_pickle
from mmfmwsss.utils.safe_pickle import run_pickle

SHARED = [1, 2]
VALUES = [
    None,
    True,
    -(2**70),
    255,
    65536,
    0.1,
    'café',
    b'\x00\xff',
    bytearray(b'abc'),
    (),
    (1,),
    (1, 2, 3, 4),
    [[], {}, [None]],
    {'a': 1, 2: (3.5, 'b'), None: {b'c': [True]}},
    [SHARED, SHARED],
]


@pytest.mark.parametrize('protocol', range(6))
def test_builds_what_python_builds(protocol: int) -> None:
    for value in VALUES:
        content = pickle.dumps(value, protocol)
        # bytearrays and bytes have calls of their own before protocol 5
        if isinstance(value, bytearray) and protocol < 5:
            continue
        assert run_pickle(content) == pickle.loads(content) == value
        assert type(run_pickle(content)) is type(value)


def test_instructions_by_hand() -> None:
    assert run_pickle(b'N.') is None
    # 5, 6, a tuple of the two
    assert run_pickle(b'K\x05K\x06\x86.') == (5, 6)
    # a mark, 1, 2, a list; stored as 0, fetched again, a tuple of both
    assert run_pickle(b'(K\x01K\x02lq\x00h\x00\x86.') == ([1, 2], [1, 2])
    # the first pickle of a file is read, no more
    assert run_pickle(b'K\x01.K\x02.') == 1


class Asks:
    """Asks for a call when it is unpickled."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.parts = call, arguments

    def __reduce__(self) -> Any:
        return self.parts


@pytest.mark.parametrize('protocol', range(6))
def test_other_objects_are_refused(protocol: int) -> None:
    values: tuple[object, ...] = (
        Asks(os.system, 'exit 1'),
        Asks(getattr, 'text', 'upper'),
        Asks(pickle.loads, b'N.'),
        datetime.date(2026, 11, 27),
        collections.Counter(),
        {1, 2},
        1j,
        len,
        io.BytesIO,
    )
    for value in values:
        with pytest.raises(UnpicklingError, match='is not allowed'):
            run_pickle(pickle.dumps(value, protocol))


def test_nothing_is_imported() -> None:
    sys.modules.pop('this', None)
    for content in (b'cthis\ns\n.', b'\x8c\x04this\x8c\x01s\x93.'):
        with pytest.raises(UnpicklingError, match=r'this\.s'):
            run_pickle(content)
    assert 'this' not in sys.modules


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'\x86.', 'stack is empty'),  # a tuple of nothing
        (b'K\x01(K\x02\x86.', 'stack is empty'),  # reaches below a mark
        (b'K\x01', 'exhausted|no end|before'),
        (b'K\x01K\x02a.', 'no list'),
        (b'K\x01K\x02K\x03s.', 'no dict'),
        (b'}(K\x01u.', 'no dict'),  # a key without a value
        (b'})K\x01s.', 'key'),  # a tuple as key
        (b'\xff.', 'opcode'),
        (b']Nb.', 'state'),
        (b'K\x01)R.', 'call'),
        (b'cnumpy\nndarray\n)R.', 'call'),  # a known name, but no call
    ],
)
def test_damaged_programs(content: bytes, message: str) -> None:
    with pytest.raises((UnpicklingError, ValueError), match=message):
        run_pickle(content)


def test_names_and_stand_ins_do_not_get_out() -> None:
    for content in (
        b'cnumpy\nndarray\n.',
        b'cnumpy\ndtype\nX\x02\x00\x00\x00O8\x85R.',
    ):
        with pytest.raises(UnpicklingError, match='not allowed'):
            run_pickle(content)


def test_sizes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    long = pickle.dumps(list(range(50)), 2)
    assert run_pickle(long) == list(range(50))
    monkeypatch.setattr(safe_pickle, '_MAX_INSTRUCTIONS', 50)
    with pytest.raises(UnpicklingError, match='too many instructions'):
        run_pickle(long)
    monkeypatch.setattr(safe_pickle, '_MAX_INSTRUCTIONS', 1000)
    # Each reference counts: two to the power of ten are not unpacked
    doubled: Any = ()
    for _ in range(10):
        doubled = (doubled, doubled)
    content = pickle.dumps(doubled, 2)
    assert run_pickle(content) == doubled
    monkeypatch.setattr(safe_pickle, '_MAX_VALUES', 1000)
    with pytest.raises(UnpicklingError, match='nested'):
        run_pickle(content)


@pytest.mark.parametrize(('levels', 'fits'), [(32, True), (33, False)])
def test_depth_is_limited(levels: int, fits: bool) -> None:
    deep: Any = 7
    for _ in range(levels):
        deep = [deep]
    content = pickle.dumps(deep)
    if fits:
        assert run_pickle(content) == deep
    else:
        with pytest.raises(UnpicklingError, match='nested too deeply'):
            run_pickle(content)
