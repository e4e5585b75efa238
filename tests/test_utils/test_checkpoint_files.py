# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Checkpoints are data: nothing in one runs, and none fills the memory."""

import io
import pickle
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file

from mmfmwsss.utils import UserInputError, read_checkpoint, read_weights

ZIPPED, LEGACY = True, False


def save(path: Path, content: Any, zipped: bool = ZIPPED) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize('zipped', [ZIPPED, LEGACY])
def test_a_checkpoint_of_mmengine_is_read(
    zipped: bool, tmp_path: Path
) -> None:
    content = dict(
        state_dict=dict(weight=torch.arange(6.0).view(2, 3)),
        meta=dict(epoch=3, seed=np.int64(7), rate=np.float32(0.5)),
        table=np.arange(12, dtype='>i4').reshape(3, 4)[:, ::-1],
        columns=np.asfortranarray(np.eye(3, dtype=bool)),
        history=HistoryBuffer([1.0, 3.0], [1, 1]),
    )
    found = read_checkpoint(save(tmp_path / 'a.pth', content, zipped))
    assert torch.equal(
        found['state_dict']['weight'], content['state_dict']['weight']
    )
    assert found['meta'] == dict(epoch=3, seed=7, rate=0.5)
    assert type(found['meta']['seed']) is np.int64
    np.testing.assert_array_equal(found['table'], content['table'])
    np.testing.assert_array_equal(found['columns'], content['columns'])
    assert found['history'].mean() == 2


def test_what_was_read_can_be_saved_and_read_again(tmp_path: Path) -> None:
    first = read_checkpoint(save(tmp_path / 'a.pth', dict(a=np.arange(3))))
    again = read_checkpoint(save(tmp_path / 'b.pth', first))
    assert again['a'].tolist() == [0, 1, 2]
    plain = pickle.loads(pickle.dumps(first))
    assert type(plain['a']) is np.ndarray


@pytest.mark.parametrize('keys', [(), ('state_dict',), ('model', 'inner')])
def test_weights_are_unwrapped(keys: tuple[str, ...], tmp_path: Path) -> None:
    weights = dict(a=torch.arange(3.0), b=torch.eye(2))
    content: Any = dict(weights, epoch=3)
    for key in reversed(keys):
        content = {key: content, 'meta': dict(epoch=3)}
    path = save(tmp_path / 'a.pth', content)
    found = read_weights(path, 'SAM', wrappers=(*keys, 'not there'))
    assert found.keys() == weights.keys()
    for name, value in weights.items():
        assert torch.equal(found[name], value)
    if keys:
        expected = f"SAM weights.*found a dict with '{keys[0]}', 'meta'"
        with pytest.raises(UserInputError, match=expected):
            read_weights(path, 'SAM')


@pytest.mark.parametrize(
    ('content', 'found'),
    [([1], 'a list'), ({}, 'an empty dict'), ({'a': 1}, "a dict with 'a'")],
)
def test_no_weights(content: Any, found: str, tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth', content)
    with pytest.raises(UserInputError, match=f'found {found}. Get it.'):
        read_weights(path, 'SAM', remedy='Get it.')


def test_safetensors(tmp_path: Path) -> None:
    save_file({'a': torch.ones(2)}, tmp_path / 'a.safetensors')
    found = read_checkpoint(tmp_path / 'a.safetensors')
    assert found['a'].tolist() == [1, 1]


@pytest.mark.parametrize('zipped', [ZIPPED, LEGACY])
@pytest.mark.parametrize('place', ['top', 'meta', 'key', 'list'])
def test_code_is_refused(
    place: str, zipped: bool, tmp_path: Path, hostile: Any
) -> None:
    content = {
        'top': hostile,
        'meta': dict(state_dict={}, meta=dict(dataset_meta=hostile)),
        'key': dict(state_dict={('a', hostile): torch.zeros(1)}),
        'list': [torch.zeros(2), hostile],
    }[place]
    path = save(tmp_path / 'evil.pth', content, zipped)
    with pytest.raises(UserInputError, match='would run code') as caught:
        read_checkpoint(path)
    assert '\n' not in str(caught.value)


def test_a_trusted_file_may_run(tmp_path: Path) -> None:
    path = save(tmp_path / 'mine.pth', dict(a=Path('somewhere')))
    with pytest.raises(UserInputError, match='pathlib'):
        read_checkpoint(path)
    assert read_checkpoint(path, trusted=True)['a'] == Path('somewhere')


@pytest.mark.parametrize('name', ['register_statistics', '__init__', 'update'])
def test_getattr_gives_statistics_only(name: str, tmp_path: Path) -> None:
    class Lookup:
        def __reduce__(self) -> Any:
            return getattr, (HistoryBuffer, name)

    path = save(tmp_path / 'a.pth', Lookup())
    with pytest.raises(UserInputError, match='cannot be read'):
        read_checkpoint(path)


class CraftedArray:
    """An array of 'objects' whose addresses the file chooses."""

    def __init__(self, code: str, state: tuple[Any, ...], content: Any):
        self.code, self.state, self.content = code, state, content

    def __reduce__(self) -> Any:
        rebuild = np.empty(0).__reduce__()[0]
        crafted = CraftedType(self.code, self.state)
        return (
            rebuild,
            (np.ndarray, (0,), b'b'),
            (1, (2,), crafted, False, self.content),
        )


class CraftedType:
    def __init__(self, code: str, state: tuple[Any, ...]) -> None:
        self.code, self.state = code, state

    def __reduce__(self) -> Any:
        return np.dtype, (self.code, False, True), self.state


@pytest.mark.parametrize(
    ('code', 'state', 'content'),
    [
        # flags cleared, so that NumPy would not count what it points to
        ('O8', (3, '|', None, None, None, -1, -1, 0), b'\x41' * 16),
        ('O8', (3, '|', None, None, None, -1, -1, 63), [1, 2]),
        ('f8', (3, '<', None, None, None, 1 << 40, 8, 0), b'\x41' * 15),
        ('V16', (3, '|', None, ('a',), {'a': 1}, 16, 1, 0), b'\x41' * 32),
        ('f8', (3, '<', None, None, None, -1, -1, 0), [1.0, 2.0]),
    ],
)
def test_a_crafted_array_is_refused(
    code: str, state: Any, content: Any, tmp_path: Path
) -> None:
    path = save(tmp_path / 'a.pth', CraftedArray(code, state, content))
    with pytest.raises(UserInputError, match='cannot be read'):
        read_checkpoint(path)


def test_crafted_flags_of_numbers_are_not_used(tmp_path: Path) -> None:
    content = np.array([1.0, 2.0]).tobytes()
    state = (3, '<', None, None, None, 1 << 30, 1 << 30, 0x3F)
    path = save(tmp_path / 'a.pth', CraftedArray('f8', state, content))
    found = read_checkpoint(path)
    assert found.tolist() == [1.0, 2.0]
    assert found.dtype == np.float64 and not found.dtype.hasobject


def test_compressed_and_overlapping_entries(tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth', dict(a=torch.zeros(1 << 20)))
    small = tmp_path / 'small.pth'
    with (
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(small, 'w', zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert small.stat().st_size < 20_000  # of 4 MiB
    with pytest.raises(UserInputError, match='is compressed'):
        read_checkpoint(small)


@pytest.mark.parametrize('zipped', [ZIPPED, LEGACY])
def test_one_number_that_claims_to_be_many(
    zipped: bool, tmp_path: Path
) -> None:
    wide = torch.zeros(1).expand(1 << 20, 1 << 20)
    path = save(tmp_path / 'a.pth', dict(a=wide), zipped)
    with pytest.raises(UserInputError, match='repeats the same'):
        read_checkpoint(path)


def test_many_names_of_one_tensor(tmp_path: Path) -> None:
    tied = torch.zeros(1 << 18)  # 1 MiB
    few = {str(n): tied for n in range(4)}
    assert len(read_checkpoint(save(tmp_path / 'few.pth', few))) == 4
    many = {str(n): tied.view(2, -1) for n in range(1000)}
    with pytest.raises(UserInputError, match='tensors claim'):
        read_checkpoint(save(tmp_path / 'many.pth', many))


def test_deep_nesting(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(UserInputError, match='nested more than 100'):
        read_checkpoint(save(tmp_path / 'a.pth', deep))


def test_a_loop_ends(tmp_path: Path) -> None:
    loop: dict[str, Any] = dict(a=torch.zeros(1))
    loop['self'] = loop
    assert read_checkpoint(save(tmp_path / 'a.pth', loop))['a'] == 0


@pytest.mark.parametrize(
    'tensor',
    [
        torch.eye(3).to_sparse(),
        torch.empty(1 << 40, device='meta'),
    ],
    ids=['sparse', 'meta'],
)
def test_tensors_that_are_no_weights(
    tensor: torch.Tensor, tmp_path: Path
) -> None:
    with pytest.raises(UserInputError, match='it has a tensor'):
        read_checkpoint(save(tmp_path / 'a.pth', tensor))


def test_other_containers(tmp_path: Path) -> None:
    empty = tmp_path / 'empty.pth'
    empty.touch()
    with pytest.raises(UserInputError, match='it is empty'):
        read_checkpoint(empty)
    tar = tmp_path / 'tar.pth'
    with tarfile.open(tar, 'w') as archive:
        archive.addfile(tarfile.TarInfo('pickle'), io.BytesIO())
    with pytest.raises(UserInputError, match='tar file'):
        read_checkpoint(tar)
    script = tmp_path / 'script.pth'
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), script)
    with pytest.raises(UserInputError, match='TorchScript'):
        read_checkpoint(script)


def test_missing_names_what_is_there(tmp_path: Path) -> None:
    save(tmp_path / 'epoch_2.pth', {})
    with pytest.raises(UserInputError, match=r'is not there.*epoch_2\.pth'):
        read_checkpoint(tmp_path / 'epoch_3.pth')
    with pytest.raises(UserInputError, match='is not there'):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize('zipped', [ZIPPED, LEGACY])
def test_truncated(zipped: bool, tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth', dict(a=torch.ones(99)), zipped)
    whole = path.read_bytes()
    for size in (1, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(UserInputError, match='cannot be read'):
            read_checkpoint(path)


def test_a_flipped_bit(tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth', dict(a=torch.ones(999)))
    content = bytearray(path.read_bytes())
    content[content.index(torch.ones(9).numpy().tobytes()) + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserInputError, match='Bad CRC'):
        read_checkpoint(path)


def test_a_file_without_checksums(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        path = save(tmp_path / 'a.pth', dict(a=torch.ones(9)))
    finally:
        torch.serialization.set_crc32_options(True)
    assert read_checkpoint(path)['a'].sum() == 9


def _written(zipped: bool) -> bytes:
    buffer = io.BytesIO()
    content = dict(
        state_dict=dict(a=torch.ones(3, 2), b=torch.zeros(2).half()),
        meta=dict(seed=np.int64(1), table=np.arange(3), names=('a', 'b')),
        history=HistoryBuffer([1.0], [1]),
    )
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['zip', 'legacy', 'safetensors', 'noise'])
def test_fuzz(kind: str, tmp_path: Path) -> None:
    if kind == 'safetensors':
        save_file({'a': torch.ones(3)}, tmp_path / 'whole.safetensors')
        whole = (tmp_path / 'whole.safetensors').read_bytes()
    else:
        whole = b'' if kind == 'noise' else _written(kind == 'zip')
    suffix = '.safetensors' if kind == 'safetensors' else '.pth'
    path = tmp_path / f'fuzz{suffix}'
    changes = st.lists(
        st.tuples(
            st.integers(0, max(len(whole) - 1, 0)), st.binary(max_size=9)
        ),
        min_size=1,
        max_size=8,
    )

    @settings(
        max_examples=3000,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changes)
    def check(edits: list[tuple[int, bytes]]) -> None:
        content = bytearray(whole)
        for start, replacement in edits:
            content[start : start + len(replacement)] = replacement
        path.write_bytes(content)
        with suppress(UserInputError):
            read_checkpoint(path)

    check()
