# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Fetch a file over HTTP, going on where an earlier transfer broke off.

Of the libraries, pooch knows hashes but neither resumes nor tries mirrors, and
huggingface_hub resumes what its own hub has; hence the standard library.
"""

import http.client
import re
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from tqdm import tqdm

__all__ = ['DownloadError', 'download', 'request_for']

BLOCK = 1 << 18  # bytes
TIMEOUT = 60.0  # seconds without an answer
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_RANGE_OVER = 416  # the range begins behind the end
_PARTIAL = 206


class DownloadError(Exception):
    """A place does not give the file; another one may."""


class _BrokenTransferError(Exception):
    """A connection ended early; the next one may go on."""


def download(
    url: str,
    file: Path,
    size: int | None = None,
    context: ssl.SSLContext | None = None,
    attempts: int = 4,
    wait: float = 1.0,
) -> None:
    """Fetch a file, or the rest of it.

    Proxies are those of the environment (``https_proxy``, ``no_proxy``).

    Args:
        url (str): http, https or file.
        file (Path): Appended to, where it holds the beginning already.
        size (int | None): Of the whole, bytes, where it is known.
        context (SSLContext | None): Other certificates than the system's.
        attempts (int): How often in a row a connection may bring nothing.
        wait (float): Seconds before the second attempt; twice as long before
            each other one.

    Raises:
        DownloadError: If it cannot be had there. What came is kept in
            ``file``.
        OSError: If it cannot be written.
    """
    failures = 0
    while True:
        # Go on where the last connection ended.
        before = _size_of(file)
        try:
            _transfer(url, file, size, context)
            return
        except _BrokenTransferError as error:
            # A connection that brought something was no failure.
            failures = 0 if _size_of(file) > before else failures + 1
            if failures >= attempts:
                raise DownloadError(str(error)) from error
        # Wait longer after each failure in a row.
        if failures:
            time.sleep(wait * 2 ** (failures - 1))


def request_for(url: str, headers: dict[str, str] | None = None) -> Request:
    """Make a request; a name and password in the URL become a header."""
    parts = urlsplit(url)
    if parts.username is None:
        return Request(url, headers=headers or {})
    # Move name and password from the address to a header.
    host = parts.netloc.rpartition('@')[2]
    secret = f'{unquote(parts.username)}:{unquote(parts.password or "")}'
    request = Request(
        urlunsplit(parts._replace(netloc=host)), headers=headers or {}
    )
    # Not sent on to where the host redirects to.
    request.add_unredirected_header(
        'Authorization', f'Basic {b64encode(secret.encode()).decode()}'
    )
    return request


def _transfer(
    url: str, file: Path, size: int | None, context: ssl.SSLContext | None
) -> None:
    """Fetch what one connection gives."""
    # Begin where an earlier transfer ended
    start = _size_of(file)
    if size is not None and start > size:
        file.unlink()
        start = 0
    if start == size:
        return
    with _connect(url, file, start, context) as response:
        # Append only where the server goes on at that byte
        start = start if _goes_on(response, start) else 0
        length = response.headers.get('Content-Length')
        whole = start + int(length) if length else size
        if size is not None and whole != size:
            raise DownloadError(f'it has {whole:,} bytes there, not {size:,}')
        _write_blocks(response, file, start, whole)
    # Ask for another connection if this one ended early
    if whole is not None and _size_of(file) < whole:
        raise _BrokenTransferError(
            f'the connection ended after {_size_of(file):,} of {whole:,} bytes'
        )


def _connect(
    url: str, file: Path, start: int, context: ssl.SSLContext | None
) -> http.client.HTTPResponse:
    """Ask a server for the bytes from ``start`` on."""
    request = request_for(url)
    if start:
        request.add_header('Range', f'bytes={start}-')
    # Connect, and tell a temporary fault from a lasting one.
    try:
        response: http.client.HTTPResponse = urlopen(
            request, timeout=TIMEOUT, context=context
        )
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, HTTPError) and error.code == _RANGE_OVER:
            # Whole already, or longer than what is there: begin again.
            file.unlink()
        raise _explain(error) from error
    return response


def _write_blocks(
    response: http.client.HTTPResponse,
    file: Path,
    start: int,
    whole: int | None,
) -> None:
    """Write a response to a file from byte ``start`` on, with a bar."""
    with (
        file.open('ab' if start else 'wb') as output,
        tqdm(
            desc=file.name.removesuffix('.part'),
            initial=start,
            total=whole,
            unit='B',
            unit_scale=True,
            unit_divisor=1024,
            disable=None,  # where nobody looks
        ) as bar,
    ):
        for block in _blocks(response):
            output.write(block)
            bar.update(len(block))
            if whole is not None and output.tell() > whole:
                raise DownloadError(f'it goes on after {whole:,} bytes')


def _size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _goes_on(response: http.client.HTTPResponse, start: int) -> bool:
    if not start or response.status != _PARTIAL:
        return False
    given = response.headers.get('Content-Range', '')
    return re.match(rf'bytes {start}-', given) is not None


def _blocks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Read a response; errors are those of the connection alone."""
    while True:
        try:
            block = response.read(BLOCK)
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenTransferError(f'the connection broke: {error}') from (
                error
            )
        if not block:
            return
        yield block


def _explain(error: Exception) -> Exception:
    """Tell what is worth another attempt from what is not."""
    if isinstance(error, HTTPError):
        text = f'{error.code} {error.reason}'
        again = error.code in (*_TEMPORARY, _RANGE_OVER)
    else:
        reason = error.reason if isinstance(error, URLError) else error
        text = str(reason) or type(reason).__name__
        # A name that nobody knows, or a refusal, stays so.
        again = isinstance(
            reason,
            TimeoutError | ConnectionResetError | http.client.HTTPException,
        )
    return _BrokenTransferError(text) if again else DownloadError(text)
