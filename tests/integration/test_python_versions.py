# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Every supported Python compiles all files, and runs what needs no torch."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILE = """
import sys
from pathlib import Path
tops = ('configs', 'docs', 'mmfmwsss', 'tests', 'tools')
files = [f for top in tops for f in Path(top).rglob('*.py')]
for file in files + [Path('setup.py')]:
    compile(file.read_bytes(), str(file), 'exec', dont_inherit=True)
print(len(files), '%d.%d' % sys.version_info[:2])
"""


def find_python(version: str) -> str:
    """A Python of this version, on the path or of pyenv; or skip."""
    pyenv = Path.home() / '.pyenv' / 'versions'
    found = [str(p) for p in sorted(pyenv.glob(f'{version}.*/bin/python'))]
    python = shutil.which(f'python{version}')
    if python:
        found.append(python)
    for candidate in found:
        # A shim of pyenv is there even where its Python is not
        works = subprocess.run(
            [candidate, '-c', ''], capture_output=True, check=False
        )
        if works.returncode == 0:
            return candidate
    pytest.skip(f'Python {version} is not on this machine')


@pytest.mark.parametrize('version', ['3.10', '3.11', '3.12', '3.13'])
def test_all_files_compile_without_a_warning(version: str) -> None:
    result = subprocess.run(
        [find_python(version), '-W', 'error', '-c', COMPILE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-500:]
    count, found = result.stdout.split()
    assert int(count) > 600 and found == version


@pytest.mark.parametrize('version', ['3.10', '3.11', '3.12', '3.13'])
@pytest.mark.parametrize(
    'words', [['--help'], ['train', '--help']], ids=' '.join
)
def test_the_command_explains_itself(version: str, words: list[str]) -> None:
    result = subprocess.run(
        [find_python(version), '-W', 'error', '-m', 'mmfmwsss_cli', *words],
        cwd=ROOT / 'tools',
        env=dict(PYTHONPATH=str(ROOT), PATH=''),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-500:]
    assert result.stdout.startswith('usage: mmfmwsss ')
