# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Transfers that break off, by hand and against the content of the file."""

import http.client
import io
from base64 import b64decode
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request

import pytest

from mmfmwsss.utils import downloads
from mmfmwsss.utils.downloads import DownloadError, download, request_for

CONTENT = bytes(range(256)) * 4
URL = 'https://example.org/weights.pth'


def headers(**values: object) -> Message:
    message = Message()
    for name, value in values.items():
        message[name.replace('_', '-')] = str(value)
    return message


class Response(io.BytesIO):
    """Some of the content, then a broken connection or the end."""

    def __init__(self, start: int, count: int, resumes: bool = True) -> None:
        if not resumes:
            start = 0
        super().__init__(CONTENT[start : start + count])
        self.status = 206 if start else 200
        self.headers = headers(Content_Length=len(CONTENT) - start)
        if start:
            self.headers['Content-Range'] = f'bytes {start}-1023/1024'
        self.breaks = start + count < len(CONTENT)

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        if not found and self.breaks:
            raise http.client.IncompleteRead(b'')
        return found


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(downloads.time, 'sleep', seconds.append)
    return seconds


Answer = Callable[[int], Any]


def serve(monkeypatch: pytest.MonkeyPatch, answers: list[Answer]) -> list[int]:
    """Answer the requests in turn; list where they begin."""
    starts: list[int] = []
    turn: Iterator[Answer] = iter(answers)

    def answer(request: Request, **_: object) -> Any:
        wanted = request.get_header('Range', 'bytes=0-')
        starts.append(int(wanted.removeprefix('bytes=').removesuffix('-')))
        found = next(turn)(starts[-1])
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(downloads, 'urlopen', answer)
    return starts


def send(count: int, resumes: bool = True) -> Answer:
    return lambda start: Response(start, count, resumes)


def fail(code: int) -> Answer:
    return lambda _: HTTPError(URL, code, 'no', headers(), None)


@pytest.mark.parametrize('counts', [(1024,), (100, 924), (1, 500, 3, 999)])
def test_each_connection_goes_on_where_the_last_one_ended(
    counts: tuple[int, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slept: list[float],
) -> None:
    file = tmp_path / 'weights.pth.part'
    starts = serve(monkeypatch, [send(count) for count in counts])
    download(URL, file, size=1024)
    assert file.read_bytes() == CONTENT
    assert starts == [sum(counts[:n]) for n in range(len(counts))]
    # A connection that brought something is no failure
    assert slept == []


def test_a_server_that_does_not_resume_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'weights.pth.part'
    file.write_bytes(b'something else')
    starts = serve(monkeypatch, [send(1024, False)])
    download(URL, file)
    assert file.read_bytes() == CONTENT and starts == [14]


def test_waits_double_and_attempts_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    file = tmp_path / 'weights.pth.part'
    # Two failures, some bytes, then failures to the end
    answers = [fail(503), fail(429), send(10)]
    starts = serve(monkeypatch, [*answers, *[fail(500)] * 3])
    with pytest.raises(DownloadError, match='500 no'):
        download(URL, file, attempts=3, wait=0.5)
    assert slept == [0.5, 1.0, 0.5, 1.0]
    assert starts == [0, 0, 0, 10, 10, 10]
    assert file.read_bytes() == CONTENT[:10]


@pytest.mark.parametrize(
    'error', [fail(404), lambda _: URLError(OSError('unknown host'))]
)
def test_what_stays_wrong_is_asked_once(
    error: Answer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slept: list[float],
) -> None:
    starts = serve(monkeypatch, [error])
    with pytest.raises(DownloadError, match='404 no|unknown host'):
        download(URL, tmp_path / 'weights.pth.part')
    assert starts == [0] and slept == []


def test_a_file_of_another_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'weights.pth.part'
    serve(monkeypatch, [send(1024)])
    with pytest.raises(DownloadError, match='1,024 bytes there, not 9'):
        download(URL, file, size=9)


def test_what_is_whole_is_not_asked_for_and_what_is_longer_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / 'weights.pth.part'
    file.write_bytes(CONTENT)
    starts = serve(monkeypatch, [send(1024)])
    download(URL, file, size=1024)
    assert starts == []
    file.write_bytes(CONTENT + b'more')
    download(URL, file, size=1024)
    assert starts == [0] and file.read_bytes() == CONTENT


def test_a_range_behind_the_end_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    file = tmp_path / 'weights.pth.part'
    file.write_bytes(CONTENT + b'of an older file')
    answers = [fail(416), send(1024)]
    starts = serve(monkeypatch, answers)
    download(URL, file)
    assert starts == [1040, 0] and file.read_bytes() == CONTENT


def test_a_file_of_this_machine(tmp_path: Path) -> None:
    source = tmp_path / 'source'
    source.write_bytes(CONTENT)
    download(source.as_uri(), tmp_path / 'copy')
    assert (tmp_path / 'copy').read_bytes() == CONTENT


def test_a_password_is_a_header_for_this_host_only() -> None:
    request = request_for('https://me:p%40ss@example.org:8443/a?b=c')
    assert request.full_url == 'https://example.org:8443/a?b=c'
    kind, _, secret = request.unredirected_hdrs['Authorization'].partition(' ')
    assert (kind, b64decode(secret)) == ('Basic', b'me:p@ss')
    assert 'Authorization' not in request.headers
    plain = request_for(URL, {'Accept': 'text/html'})
    assert plain.full_url == URL and not plain.unredirected_hdrs
    assert plain.headers == {'Accept': 'text/html'}
