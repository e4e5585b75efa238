# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The unpickler reads arrays and refuses everything else."""

import collections
import os
import pickle
import subprocess
import sys

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


class Built:
    """What a pickle makes by a call and a state."""

    def __init__(self, call, arguments, state=None):
        self.parts = (call, arguments, state)

    def __reduce__(self):
        call, arguments, state = self.parts
        return (call, arguments) if state is None else self.parts


def objects_without_flags():
    """Dtype of objects that says it holds none: bytes become pointers."""
    state = (3, '|', None, None, None, -1, -1, 0)
    return Built(np.dtype, ('O8', False, True), state)


def array_state(dtype, content, shape=(1,)):
    multiarray = np.zeros(1).__reduce__()[0]
    return Built(
        multiarray,
        (np.ndarray, (0,), b'b'),
        (1, shape, dtype, False, content),
    )


def structured_without_flags():
    fields = {'a': (objects_without_flags(), 0)}
    state = (3, '|', None, ('a',), fields, 8, 1, 0)
    return Built(np.dtype, ('V8', False, True), state)


def deep_tuple(levels, twice=False):
    """A tuple in a tuple...; with `twice`, each holds the last one twice."""
    step = b'q\x00h\x00\x86' if twice else b'\x85'
    return b'\x80\x04)' + step * levels


HEADER = np.lib.format.magic(1, 0) + (118).to_bytes(2, 'little')
HEADER += b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117)
HEADER += b'\n'
POINTER = b'\x41' * 8
SCALAR = np.float32(0).__reduce__()[0]
FROMBUFFER = np.zeros((2, 2)).__reduce_ex__(5)[0]


def hostile_pickles():
    """Name to bytes of a pickle that crashed, hung or took memory."""
    objects = objects_without_flags()
    f4 = np.dtype('f4')
    made = {
        'scalar': Built(SCALAR, (objects, POINTER)),
        'array': array_state(objects, POINTER),
        'structured': array_state(structured_without_flags(), POINTER),
        'frombuffer': Built(FROMBUFFER, (POINTER, objects, (1,), 'C')),
        'sub-array': array_state(
            Built(
                np.dtype,
                ('V8', False, True),
                (3, '|', (objects, (1,)), None, None, 8, 1, 0),
            ),
            POINTER,
        ),
        'too few bytes': array_state(f4, b'1234', (10**12,)),
        'negative axis': array_state(f4, b'1234', (-1, -1)),
        'objects for a large shape': array_state(
            np.dtype('O'), [1], (10**12,)
        ),
        'no content': Built(np.zeros(1).__reduce__()[0], (np.ndarray, 0, b'')),
    }
    found = {name: pickle.dumps(value) for name, value in made.items()}
    end = b'K\x01s.'
    found |= {
        'memo of 2**31': b'\x80\x04Nr\xff\xff\xff\x7fR.',
        'bytes of 2**62': b'\x80\x04\x8e' + (2**62).to_bytes(8, 'little'),
        'bytes of 2**31': b'\x80\x04B\xff\xff\xff\x7f',
        'frame of 2**62': b'\x80\x04\x95' + (2**62).to_bytes(8, 'little'),
        'integer of 2**31 bytes': b'\x80\x04\x8b\xff\xff\xff\x7f',
        'deep tuple as a key': b'\x80\x04}' + deep_tuple(200_000)[2:] + end,
        'wide tuple as a key': b'\x80\x04}' + deep_tuple(60, True)[2:] + end,
        'deep tuple': deep_tuple(200_000) + b'.',
        'wide tuple': deep_tuple(60, True) + b'.',
        'deep lists': b'\x80\x04' + b']' * 200_000 + b'a' * 199_999 + b'.',
        'list in itself': b'\x80\x04]q\x00h\x00a.',
        'many instructions': b'\x80\x04' + b'N0' * 600_000 + b'N.',
        'state of a function': b'\x80\x04c_codecs\nencode\n}b.',
        'items of a dtype': b'\x80\x04cnumpy\ndtype\nK\x01K\x02s.',
        'empty stack': b'\x80\x04R.',
    }
    return found


def storage_pickle(count):
    """A tensor of one number that claims to have more."""
    tensor = pickle.dumps(torch.zeros(1), protocol=4)
    return tensor.replace(
        b'K\x01Ntq\x04Q.', b'K' + bytes([count]) + b'Ntq\x04Q.'
    )


def test_crafted_pickles_neither_crash_nor_take_memory(tmp_path):
    """In a process of their own, for what went wrong was no exception."""
    hostile = hostile_pickles() | {'storage': storage_pickle(100)}
    for number, content in enumerate(hostile.values()):
        (tmp_path / f'{number:02}.npy').write_bytes(HEADER + content)
    program = (
        'import gc, resource, sys\n'
        'from pathlib import Path\n'
        'from mmfmwsss.utils import UserInputError\n'
        'from mmfmwsss.utils.safe_npy import load_npy\n'
        'before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'for path in sorted(Path(sys.argv[1]).glob("*.npy")):\n'
        '    try:\n'
        '        found = load_npy(path)\n'
        '    except UserInputError:\n'
        '        print(path.stem)\n'
        '    else:\n'
        '        print("loaded", path.stem, repr(found)[:50])\n'
        'gc.collect()\n'
        'after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
        'assert after - before < 300_000, (before, after)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', program, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [f'{n:02}' for n in range(len(hostile))]


@pytest.mark.parametrize(
    ('descr', 'shape'),
    [
        ("'<f4'", '(1000000000000,)'),
        ("'<f4'", '(0, 1000000000000, 1' + '0' * 400 + ')'),
        ("[('a', '|O')]", '(1,)'),
        ("'|V8'", '(1,)'),
        ("'<M8[s]'", '(1,)'),
        ("__import__('os').system('true')", '()'),
    ],
)
def test_headers_are_not_believed(tmp_path, descr, shape):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    data = text.encode()
    head = b'\x93NUMPY\x02\x00' + len(data).to_bytes(4, 'little')
    (tmp_path / 'a.npy').write_bytes(head + data + b'\0' * 64)
    with pytest.raises(UserInputError, match='Cannot read'):
        load_npy(tmp_path / 'a.npy')


def test_huge_header_is_not_read(tmp_path):
    head = b'\x93NUMPY\x02\x00' + (2**31).to_bytes(4, 'little')
    (tmp_path / 'a.npy').write_bytes(head + b'{' * 100)
    with pytest.raises(UserInputError, match='header claims 2147483648'):
        load_npy(tmp_path / 'a.npy')


@pytest.mark.parametrize('kind', ['?', 'i1', '>u2', '<f2', 'c8', 'U3', 'S2'])
@pytest.mark.parametrize('order', ['C', 'F'])
@pytest.mark.parametrize('protocol', [None, 2, 5])
def test_every_plain_type_comes_back(tmp_path, kind, order, protocol):
    numbers = np.arange(6).reshape(2, 3).astype(kind, order=order)
    save(tmp_path / 'a.npy', {1: numbers, 'b': [(numbers[0, 1],)]}, protocol)
    found = load_npy(tmp_path / 'a.npy')
    np.testing.assert_array_equal(found[1], numbers)
    assert found[1].dtype == numbers.dtype and found[1].flags.writeable
    assert found['b'] == [(numbers[0, 1],)]
    np.save(tmp_path / 'b.npy', numbers)
    np.testing.assert_array_equal(load_npy(tmp_path / 'b.npy'), numbers)


@pytest.mark.parametrize(
    'tensor',
    [
        torch.arange(12.0).reshape(3, 4).t()[1:, ::2],
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.tensor(3, dtype=torch.int16),
        torch.rand(3).bfloat16(),
    ],
)
def test_every_tensor_comes_back(tmp_path, tensor):
    np.save(tmp_path / 'a.npy', {'cam': tensor}, allow_pickle=True)
    found = load_npy(tmp_path / 'a.npy')['cam']
    assert found.dtype == tensor.dtype and torch.equal(found, tensor)


def test_array_of_objects(tmp_path):
    objects = np.empty((1, 2), object)
    objects[0, 0], objects[0, 1] = {'a': np.eye(2)}, None
    np.save(tmp_path / 'a.npy', objects, allow_pickle=True)
    found = load_npy(tmp_path / 'a.npy')
    assert found.shape == (1, 2) and found[0, 1] is None
    np.testing.assert_array_equal(found[0, 0]['a'], np.eye(2))
