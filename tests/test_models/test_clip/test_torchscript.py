# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Archives of TorchScript give their tensors; their programs do not run."""

import io
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mmfmwsss.models.clip import build_clip, read_clip_state
from mmfmwsss.models.clip.torchscript import read_torchscript
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.tiny_models import (
    OpenAIArchive,
    random_clip,
    random_clip_arch,
)

pytestmark = pytest.mark.filterwarnings('ignore::FutureWarning')


class Writer(nn.Module):
    """Its state is restored by a program that maps a file for writing."""

    path: str

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.weight = torch.ones(2)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return self.path, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.path = state[0]
        self.training = state[1]
        mapped = torch.from_file(
            state[0], shared=True, size=4, dtype=torch.uint8
        )
        self.weight = mapped.fill_(65)


class Several(nn.Module):
    """Types, views, shared weights and buffers."""

    def __init__(self) -> None:
        super().__init__()
        whole = torch.arange(24.0).view(4, 6)
        self.register_buffer('columns', whole.T)
        self.register_buffer('part', whole[1:3, ::2])
        self.register_buffer('scalar', torch.tensor(224))
        self.register_buffer('none', torch.empty(0, 3))
        self.register_buffer('short', torch.ones(3).half())
        self.register_buffer('brain', torch.ones(3).bfloat16())
        self.register_buffer('yes', torch.tensor([True, False]))
        self.one = nn.Linear(2, 2)
        self.other = self.one
        self.sizes = [1, 2]
        self.names = ('a', 'b')

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x) + self.sizes[0]


def script(module: nn.Module, path: Path) -> Path:
    torch.jit.script(module).save(str(path))
    return path


def test_names_and_values_are_those_of_the_state_dict(tmp_path: Path) -> None:
    module = Several()
    found = read_torchscript(script(module, tmp_path / 'a.pt'))
    expected = module.state_dict()
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value), name


def test_an_archive_of_clip(tmp_path: Path) -> None:
    model = random_clip().model
    archive = OpenAIArchive(model, model.visual.image_size[0])
    path = tmp_path / 'clip.pt'
    torch.jit.trace(archive, torch.ones(1)).save(str(path))
    found = read_torchscript(path)
    loaded = torch.jit.load(str(path)).state_dict()
    assert set(found) == set(loaded)
    for name, value in loaded.items():
        assert torch.equal(found[name], value)


@pytest.mark.slow
def test_a_traced_open_clip(tmp_path: Path) -> None:
    model = random_clip().model
    side = model.visual.image_size[0]
    traced = torch.jit.trace_module(
        model,
        dict(
            encode_image=torch.zeros(1, 3, side, side),
            encode_text=torch.zeros(1, 77, dtype=torch.long),
        ),
        check_trace=False,
    )
    traced.save(str(tmp_path / 'clip.pt'))
    found = read_clip_state(tmp_path / 'clip.pt').state
    assert set(found) == set(model.state_dict())
    for name, value in model.state_dict().items():
        assert torch.equal(found[name], value)


def test_a_program_that_writes_does_not_run(tmp_path: Path) -> None:
    victim = tmp_path / 'victim'
    victim.write_bytes(b'safe')
    path = script(Writer(str(victim)), tmp_path / 'evil.pt')
    torch.jit.load(str(path))
    assert victim.read_bytes() == b'AAAA'  # torch's own loader runs it
    victim.write_bytes(b'safe')
    for read in (read_clip_state, lambda p: build_clip({}, str(p))):
        with pytest.raises(UserInputError, match='by code of the file') as e:
            read(path)
        assert 'torch.jit.load(FILE).state_dict()' in str(e.value)
        assert '\n' not in str(e.value)
    assert victim.read_bytes() == b'safe'


def rewrite(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same archive with other entries."""
    with zipfile.ZipFile(path) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, 'w') as target:
        for name, content in entries.items():
            target.writestr(name, change(name, content))
    return path


def with_pickle(path: Path, content: bytes) -> Path:
    script(nn.Linear(2, 2), path)
    return rewrite(
        path, lambda name, old: content if name.endswith('data.pkl') else old
    )


def test_a_pickle_that_calls_does_not_run(
    tmp_path: Path, hostile: Any
) -> None:
    path = with_pickle(tmp_path / 'evil.pt', pickle.dumps(hostile, 2))
    with pytest.raises(UserInputError, match='without running'):
        read_clip_state(path)


STORAGE = (
    b'(X\x07\x00\x00\x00storagectorch\nFloatStorage\n'
    b'X\x01\x00\x00\x000X\x03\x00\x00\x00cpu%stQ'
)


def tensor_of(sizes: bytes, strides: bytes, offset: bytes = b'K\x00') -> bytes:
    """A pickle of one tensor on storage 0, which has four numbers."""
    return (
        b'\x80\x02ctorch._utils\n_rebuild_tensor_v2\n('
        + STORAGE % b'K\x04'
        + offset
        + sizes
        + strides
        + b'\x89}tR.'
    )


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (tensor_of(b'K\x05\x85', b'K\x01\x85'), 'claims more'),
        (tensor_of(b'K\x02\x85', b'K\x04\x85'), 'claims more'),
        (tensor_of(b'K\x04\x85', b'K\x01\x85', b'K\x01'), 'claims more'),
        (tensor_of(b'J\xff\xff\xff\x7f\x85', b'K\x00\x85'), 'claims more'),
        (tensor_of(b'J\xfe\xff\xff\xff\x85', b'K\x01\x85'), 'is none'),
        (tensor_of(b'K\x02\x85', b'J\xff\xff\xff\xff\x85'), 'is none'),
        (tensor_of(b'K\x02\x85', b'K\x01K\x01\x86'), 'is none'),
        (b'\x80\x02' + STORAGE % b'K\x09' + b'.', '16 bytes for 9'),
        (b'\x80\x02}r\xff\xff\xff\x7f.', 'memo of no end'),
        (b'\x80\x04\x96\xff\xff\xff\xff\xff\x00\x00\x00.', 'without running'),
        (b'\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.', 'os.system'),
        (b'', 'without running'),
    ],
)
def test_crafted_pickles(content: bytes, message: str, tmp_path: Path) -> None:
    path = with_pickle(tmp_path / 'a.pt', content)
    with pytest.raises(UserInputError, match=message):
        read_clip_state(path)


def test_the_crafted_tensor_itself_is_right(tmp_path: Path) -> None:
    content = tensor_of(b'K\x02K\x02\x86', b'K\x01K\x02\x86')
    path = with_pickle(tmp_path / 'a.pt', content)
    assert read_torchscript(path).keys() == {''}


def test_modules_that_hold_each_other(tmp_path: Path) -> None:
    # each of 40 modules holds the one before twice: 2 ** 40 names
    layers = b'c__torch__\nM\nq\x00)\x81}b'
    both = b'(X\x01\x00\x00\x00ah\x01X\x01\x00\x00\x00bh\x01ub'
    for _ in range(40):
        layers += b'q\x01h\x00)\x81}' + both
    path = with_pickle(tmp_path / 'a.pt', b'\x80\x02' + layers + b'.')
    with pytest.raises(UserInputError, match='more than 200,000'):
        read_clip_state(path)


def test_compressed_data(tmp_path: Path) -> None:
    path = script(nn.Linear(99, 99), tmp_path / 'a.pt')
    with zipfile.ZipFile(path) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    with pytest.raises(UserInputError, match='is compressed'):
        read_clip_state(path)


def test_a_published_archive_is_loaded_by_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_clip().model
    archive = OpenAIArchive(model, model.visual.image_size[0])
    path = tmp_path / 'clip.pt'
    torch.jit.trace(archive, torch.ones(1)).save(str(path))
    loads: list[str] = []
    original = torch.jit.load

    def load(file: str, **kwargs: Any) -> Any:
        loads.append(file)
        return original(file, **kwargs)

    monkeypatch.setattr(torch.jit, 'load', load)
    build_clip(random_clip_arch(), str(path))
    assert not loads
    monkeypatch.setattr(
        'mmfmwsss.models.clip.weight_files.is_published', lambda path: True
    )
    build_clip(random_clip_arch(), str(path))
    assert loads == [str(path)]


@pytest.mark.slow
def test_fuzz(tmp_path: Path) -> None:
    path = script(Several(), tmp_path / 'whole.pt')
    whole = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        name = next(n for n in archive.namelist() if n.endswith('data.pkl'))
        inner = archive.read(name)
    edits = st.lists(
        st.tuples(st.integers(0, len(inner)), st.binary(max_size=9)),
        min_size=1,
        max_size=6,
    )

    @settings(
        max_examples=2000,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.booleans(), edits)
    def check(in_pickle: bool, changes: list[tuple[int, bytes]]) -> None:
        content = bytearray(inner if in_pickle else whole)
        for start, replacement in changes:
            if not in_pickle:
                start = start * len(whole) // len(inner)
            content[start : start + len(replacement)] = replacement
        path.write_bytes(whole if in_pickle else content)
        if in_pickle:
            rewrite(path, lambda n, old: bytes(content) if n == name else old)
        with suppress(UserInputError):
            read_clip_state(path)

    check()
