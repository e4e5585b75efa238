# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The unpickler reads arrays and refuses everything else."""

import collections
import os
import pickle

import numpy as np
import pytest
import torch

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.safe_npy import load_npy


def save(path, content, protocol=None):
    """Like np.save of a dict; with a chosen pickle protocol."""
    if protocol is None:
        np.save(path, content, allow_pickle=True)
        return
    wrapped = np.empty((), object)
    wrapped[()] = content
    np.save(path, wrapped, allow_pickle=True)
    head = path.read_bytes().partition(b'\n')[0] + b'\n'
    path.write_bytes(head + pickle.dumps(wrapped, protocol=protocol))


@pytest.mark.parametrize('protocol', [None, 0, 2, 4, 5])
def test_dict_of_arrays(tmp_path, protocol):
    path = tmp_path / 'a.npy'
    cam = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float16)
    save(path, {'keys': np.array([3, 7]), 'cam': cam, 1: [0.5]}, protocol)
    content = load_npy(path)
    assert list(content) == ['keys', 'cam', 1]
    np.testing.assert_array_equal(content['cam'], cam)
    assert content['cam'].dtype == np.float16
    assert content['keys'].tolist() == [3, 7]


def test_numpy_scalars_as_keys(tmp_path):
    path = tmp_path / 'a.npy'
    np.save(path, {np.int64(4): np.float32(0.5)}, allow_pickle=True)
    assert load_npy(path) == {4: 0.5}


def test_files_of_both_numpy_versions(tmp_path):
    path = tmp_path / 'a.npy'
    np.save(path, {0: np.arange(3.0)}, allow_pickle=True)
    content = path.read_bytes()
    old, new = b'numpy.core.', b'numpy._core.'
    other = (old, new) if old in content else (new, old)
    # protocol 3 and 4 write names with their length: make it fit
    names = [b'multiarray', b'numeric']
    for name in names:
        a, b = other[0] + name, other[1] + name
        for kind in (b'c', b'\x8c'):
            if kind == b'c':
                content = content.replace(b'c' + a + b'\n', b'c' + b + b'\n')
            else:
                content = content.replace(
                    kind + bytes([len(a)]) + a, kind + bytes([len(b)]) + b
                )
    assert other[1] in content
    head, _, body = content.partition(b'\n')
    # frames of protocol 4 hold their length too
    if body[2:3] == b'\x95':
        body = body[:2] + body[11:]
    path.write_bytes(head + b'\n' + body)
    assert load_npy(path)[0].tolist() == [0, 1, 2]


def test_tensors_as_irn_writes_them(tmp_path):
    path = tmp_path / 'a.npy'
    cam = torch.rand(2, 3, 4)
    np.save(path, {'keys': torch.tensor([1, 5]), 'cam': cam})
    content = load_npy(path)
    assert torch.equal(content['cam'], cam)
    assert content['keys'].tolist() == [1, 5]


def test_plain_array(tmp_path):
    np.save(tmp_path / 'a.npy', np.eye(3))
    np.testing.assert_array_equal(load_npy(tmp_path / 'a.npy'), np.eye(3))


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize(
    'evil',
    [
        Evil(os.system, 'touch hacked'),
        Evil(eval, '1'),
        Evil(getattr, 'text', 'upper'),
        Evil(np.load, 'x'),
        Evil(torch.load, 'x'),
        Evil(np.fromfile, 'x'),
        collections.Counter(),
    ],
)
def test_refuses_everything_else(tmp_path, monkeypatch, evil):
    monkeypatch.chdir(tmp_path)
    np.save('a.npy', {'keys': evil}, allow_pickle=True)
    with pytest.raises(UserInputError, match='is not allowed'):
        load_npy('a.npy')
    assert os.listdir() == ['a.npy']


def test_refuses_code_inside_a_tensor(tmp_path):
    content = pickle.dumps(Evil(os.system, 'true'))
    evil = Evil(torch.storage._load_from_bytes, content)
    np.save(tmp_path / 'a.npy', {'cam': evil}, allow_pickle=True)
    with pytest.raises(UserInputError, match='Cannot read'):
        load_npy(tmp_path / 'a.npy')


def test_missing_and_damaged(tmp_path):
    with pytest.raises(UserInputError, match='not there'):
        load_npy(tmp_path / 'a.npy')
    np.save(tmp_path / 'a.npy', {'cam': np.zeros(99)}, allow_pickle=True)
    half = (tmp_path / 'a.npy').read_bytes()[:200]
    (tmp_path / 'a.npy').write_bytes(half)
    with pytest.raises(UserInputError, match='Cannot read'):
        load_npy(tmp_path / 'a.npy')
    (tmp_path / 'a.npy').write_bytes(b'nonsense')
    with pytest.raises(UserInputError, match='Cannot read'):
        load_npy(tmp_path / 'a.npy')
