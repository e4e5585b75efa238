# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The table of weights, and what is said of a file of that name."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mmfmwsss.apis.known_weights import (
    KnownWeights,
    find_weights,
    read_known_weights,
)
from mmfmwsss.models.clip.known_files import KNOWN_FILES
from mmfmwsss.utils import UserInputError

CONTENT = b'weights'
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ROW = KnownWeights('one', 'one.pt', 7, SHA256, 'MIT', 'a test', ('http://x',))


def test_the_table() -> None:
    known = read_known_weights()
    for row in known:
        assert re.fullmatch(r'[0-9a-f]{8}|[0-9a-f]{64}', row.sha256)
        assert Path(row.file).name == row.file
        assert row.sources and row.licence and row.needed_by
        if len(row.sha256) == 8:
            assert row.sha256 in row.file
        for source in row.sources:
            if isinstance(source, str):
                assert source.startswith('https://')
                assert source.endswith(row.file)
    # CLIP's sums stand beside its loader as well
    sums = {row.file: row.sha256 for row in known if row.file in KNOWN_FILES}
    assert sums
    assert all(KNOWN_FILES[file] == found for file, found in sums.items())
    with pytest.raises(UserInputError, match=r'`mobile_sam` .*meant\?'):
        find_weights(['mobilesam'], known)


def test_names_are_found_once_and_in_order() -> None:
    known = [ROW, replace(ROW, name='two')]
    names = [row.name for row in find_weights(['two', 'one', 'two'], known)]
    assert names == ['two', 'one']


def test_faults_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / 'one.pt'
    file.write_bytes(CONTENT)
    assert ROW.find_fault(file) == ''
    assert replace(ROW, size=None, sha256=SHA256[:8]).find_fault(file) == ''
    assert replace(ROW, size=8).find_fault(file) == 'it has 7 bytes, not 8'
    other = replace(ROW, sha256='0' * 64)
    assert other.find_fault(file) == f'its SHA-256 is {SHA256}, not {"0" * 64}'


@pytest.mark.parametrize(
    ('digits', 'expected'),
    [(64, 'SHA-256 verified'), (8, 'the first 8 digits'), (0, 'not verified')],
)
def test_how_far_a_file_is_verified(
    tmp_path: Path, digits: int, expected: str
) -> None:
    file = tmp_path / 'one.pt'
    file.write_bytes(CONTENT)
    said = replace(ROW, sha256=SHA256[:digits]).describe_check(file)
    assert said.startswith(expected) and SHA256[:16] in said
