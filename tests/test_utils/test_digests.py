# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Equal things have equal digests, and others others."""

import hashlib
from pathlib import Path

import numpy as np

from mmfmwsss.utils import digest_of, digest_of_array, digest_of_file


def test_values() -> None:
    assert digest_of({'a': 1, 'b': [2]}) == digest_of({'b': [2], 'a': 1})
    assert digest_of([1, 2]) != digest_of([2, 1])
    assert digest_of('1') != digest_of(1)
    expected = hashlib.sha256(b'{"a": 1}').hexdigest()[:16]
    assert digest_of({'a': 1}) == expected


def test_arrays_differ_in_shape_type_and_values() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    others = [array.T, array.reshape(3, 2), array.astype(int), array + 1]
    digests = {digest_of_array(a) for a in [array, *others]}
    assert len(digests) == 5
    assert digest_of_array(array) == digest_of_array(array.copy(order='F'))


def test_files(tmp_path: Path) -> None:
    (tmp_path / 'a').write_bytes(b'text')
    expected = hashlib.sha256(b'text').hexdigest()[:16]
    assert digest_of_file(tmp_path / 'a') == expected
    assert digest_of_file(tmp_path / 'none') == ''
    assert digest_of_file(None) == ''
