# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The wheel and the source archive hold what they must; one version."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from mmfmwsss.version import __version__

ROOT = Path(__file__).parents[2]
FOLDERS = (
    '.github',
    'configs',
    'docs',
    'mmfmwsss',
    'requirements',
    'tests',
    'tools',
)
FILES = (
    'CHANGELOG.md', 'CITATION.cff', 'LICENSE', 'MANIFEST.in', 'Makefile',
    'README.md', 'mkdocs.yml', 'model-index.yml', 'pyproject.toml', 'setup.py',
)  # fmt: skip


@pytest.fixture(scope='module')
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both archives, built of a copy without the network."""
    copy = tmp_path_factory.mktemp('checkout')
    unwanted = shutil.ignore_patterns('__pycache__', '*.pyc')
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    result = subprocess.run(
        [sys.executable, 'setup.py', '-q', 'sdist', 'bdist_wheel'],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return copy / 'dist'


def files_of(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob('*')
        if path.is_file() and path.suffix != '.pyc'
    }


def test_the_wheel_holds_the_whole_package(archives: Path) -> None:
    (wheel,) = archives.glob(f'mmfmwsss-{__version__}-*.whl')
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    found = {name for name in names if '.dist-info/' not in name}
    assert found == files_of('mmfmwsss')
    assert 'mmfmwsss/py.typed' in found


def test_the_source_archive_holds_the_repository(archives: Path) -> None:
    with tarfile.open(archives / f'mmfmwsss-{__version__}.tar.gz') as archive:
        names = {name.partition('/')[2] for name in archive.getnames()}
    expected = set(FILES).union(*map(files_of, FOLDERS))
    assert not expected - names


def test_one_version() -> None:
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    changelog = (ROOT / 'CHANGELOG.md').read_text()
    assert f'\n## [{__version__}]' in changelog
