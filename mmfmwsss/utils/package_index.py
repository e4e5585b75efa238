# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Find a file on the package index that pip uses; run none of its code."""

import ast
import http.client
import json
import re
import ssl
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import Request, url2pathname, urlopen

from .downloads import TIMEOUT, DownloadError, request_for

__all__ = ['PipIndex', 'file_links', 'open_member']

PYPI = 'https://pypi.org/simple'
_SECTIONS = (':env:', 'download', 'install', 'global')  # pip's precedence
_PAGE_TYPES = (
    'application/vnd.pypi.simple.v1+json, '
    'application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1'
)


class PipIndex:
    """The indexes that pip is configured for.

    Args:
        settings (dict[str, str] | None): Lines of ``pip config list``; None
            asks pip.

    Attributes:
        urls (list[str]): Of the indexes, the first one first.
        context (SSLContext | None): Certificates, where pip has its own.
    """

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        settings = _pip_settings() if settings is None else settings

        def value(key: str) -> str:
            found = (settings.get(f'{part}.{key}') for part in _SECTIONS)
            return next((text for text in found if text), '')

        # Take the indexes and certificates as pip would.
        self.urls = [
            value('index-url') or PYPI,
            *value('extra-index-url').split(),
        ]
        certificates = value('cert')
        self.context = (
            ssl.create_default_context(cafile=certificates)
            if certificates
            else None
        )

    def find(self, project: str, filename: str) -> str:
        """Find the address of a file of a project.

        Args:
            project (str): As on the index.
            filename (str): Of the wheel or source archive.

        Raises:
            DownloadError: If no index has it.
        """
        # Spell the name as indexes do (PEP 503).
        name = re.sub(r'[-_.]+', '-', project).lower()
        failures = []
        for index in self.urls:
            # Ask this index, and remember why it does not have the file.
            try:
                links = self._links(f'{index.rstrip("/")}/{name}/')
            except (OSError, http.client.HTTPException, ValueError) as error:
                failures.append(f'{_public(index)}: {error}')
                continue
            if filename in links:
                return links[filename]
            failures.append(f'{_public(index)} has no {filename}')
        raise DownloadError('; '.join(failures))

    def _links(self, page: str) -> dict[str, str]:
        # Take the index page of a local folder.
        parts = urlsplit(page)
        if parts.scheme == 'file' and Path(url2pathname(parts.path)).is_dir():
            page += 'index.html'
        request: Request = request_for(page, {'Accept': _PAGE_TYPES})
        with urlopen(
            request, timeout=TIMEOUT, context=self.context
        ) as response:
            return file_links(response.read(), response.url)


def file_links(page: bytes, url: str) -> dict[str, str]:
    """Read a project's page, of JSON or HTML (PEP 691, PEP 503).

    Args:
        page (bytes): The page.
        url (str): Its address, for relative links.

    Returns:
        dict[str, str]: Addresses by file name.

    Raises:
        ValueError: If it begins as JSON and is none.
    """
    # Read JSON (PEP 691).
    if page.lstrip().startswith(b'{'):
        files = json.loads(page).get('files', [])
        return {f['filename']: urljoin(url, f['url']) for f in files}
    # Read the links of HTML (PEP 503).
    reader = _LinkReader()
    reader.feed(page.decode('utf-8', 'replace'))
    links = [urljoin(url, link) for link in reader.links]
    return {
        unquote(urlsplit(link).path).rsplit('/', 1)[-1]: link for link in links
    }


@contextmanager
def open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open one file in a wheel or source archive for reading.

    Nothing else of the archive is looked at, and no name in it is a path that
    anything is written to.

    Args:
        archive (Path): ``.whl``, ``.zip`` or ``.tar.gz``.
        member (str): The name, in full.

    Raises:
        DownloadError: If it is not in it, is no plain file, or the archive is
            damaged.
    """
    try:
        # Open a member of a wheel.
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                yield wheel.open(wheel.getinfo(member))
            return
        # Open a member of a source archive.
        with tarfile.open(archive, 'r:gz') as sources:
            opened = None
            entry = sources.getmember(member)
            if entry.isreg():  # and no link, which may lead anywhere
                opened = sources.extractfile(entry)
            if opened is None:
                raise DownloadError(f'{member} in it is no plain file')
            yield opened
    except KeyError as error:
        raise DownloadError(f'it has no {member}') from error
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
    ) as error:
        raise DownloadError(f'it is damaged: {error}') from error


class _LinkReader(HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        """Keep where an anchor leads."""
        target = dict(attrs).get('href') if tag == 'a' else None
        if target:
            self.links.append(target)


def _pip_settings() -> dict[str, str]:
    """Ask pip; an environment without it has none."""
    command = [sys.executable, '-m', 'pip', 'config', 'list']
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False
    )
    settings = {}
    for line in answer.stdout.splitlines():
        # Skip lines that are no setting.
        key, _, text = line.partition('=')
        try:
            settings[key] = str(ast.literal_eval(text))
        except (SyntaxError, ValueError):
            continue
    return settings


def _public(url: str) -> str:
    """Hide a password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()
