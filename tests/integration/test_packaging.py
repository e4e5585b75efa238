# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The wheel and the source archive hold what they must; one version."""

import os
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
    unwanted = shutil.ignore_patterns('__pycache__', '*.pyc', '.mim')
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


@pytest.fixture(scope='module')
def installed(
    archives: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder that pip has installed the wheel into."""
    folder = tmp_path_factory.mktemp('installed')
    (wheel,) = archives.glob('*.whl')
    arguments = ['--no-deps', '--no-index', '--target', str(folder)]
    subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '-q', *arguments, str(wheel)],
        env=dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK='1'),
        check=True,
    )
    return folder


def run_installed(
    folder: Path, cwd: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with the installed package, no checkout."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=dict(os.environ, PYTHONPATH=str(folder)),
        capture_output=True,
        text=True,
        check=False,
    )


def files_of(folder: str) -> set[str]:
    """Files below a folder; links to other folders are left out."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob('*')
        if path.is_file()
        and path.suffix != '.pyc'
        and '.mim' not in path.parts
    }


def test_the_wheel_holds_the_whole_package(archives: Path) -> None:
    (wheel,) = archives.glob(f'mmfmwsss-{__version__}-*.whl')
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    found = {name for name in names if '.dist-info/' not in name}
    carried = files_of('configs') | files_of('tools') | {'model-index.yml'}
    command = {
        name.removeprefix('tools/')
        for name in carried
        if name.startswith('tools/mmfmwsss_cli/')
    }
    assert 'mmfmwsss_cli/main.py' in command
    assert found == (
        files_of('mmfmwsss')
        | command
        | {f'mmfmwsss/.mim/{name}' for name in carried}
    )
    assert 'mmfmwsss/py.typed' in found


def test_the_installed_command(installed: Path, tmp_path: Path) -> None:
    result = run_installed(
        installed, tmp_path, '-m', 'mmfmwsss_cli', 'train', '--help'
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith('usage: mmfmwsss train ')
    assert (installed / 'bin' / 'mmfmwsss').is_file()


@pytest.mark.slow
def test_a_config_that_inherits_from_the_installed_ones(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / 'own.py').write_text(
        "_base_ = 'mmfmwsss::fmwsss/partworld_prompt.py'\n"
    )
    code = (
        'from mmfmwsss.utils import read_config\n'
        'from mmengine.config import Config\n'
        'from mmseg.registry import MODELS\n'
        'print(type(MODELS.build(Config.fromfile("own.py").model)).__name__)\n'
        'print(read_config("fmwsss/partworld_prompt.py").filename)\n'
    )
    result = run_installed(installed, tmp_path, '-c', code)
    assert result.returncode == 0, result.stderr[-2000:]
    name, *_, file = result.stdout.splitlines()
    assert name == 'CLIPPromptSegmentor'
    assert file == str(
        installed / 'mmfmwsss/.mim/configs/fmwsss/partworld_prompt.py'
    )


def test_mim_finds_what_it_looks_for(installed: Path) -> None:
    """As `mim train mmfmwsss partworld_prompt.py` looks, links followed."""
    found = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(
            installed / 'mmfmwsss', followlinks=True
        )
        for name in names
        if name == 'partworld_prompt.py'
    ]
    assert len(found) == 1
    carried = installed / 'mmfmwsss' / '.mim'
    assert found[0].startswith(f'{carried}/configs/')
    assert (carried / 'tools' / 'train.py').is_file()
    index = yaml.safe_load((carried / 'model-index.yml').read_text())
    for name in index['Import']:
        models = yaml.safe_load((carried / name).read_text())['Models']
        for model in models:
            assert (carried / model['Config']).is_file()


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
