# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The command `mmfmwsss`: the same as the tools, in its own words."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from mmfmwsss_cli.commands import (
    COMMANDS,
    find_package,
    find_tools,
    in_own_words,
    summary,
)

from mmfmwsss.version import __version__

ROOT = Path(__file__).parents[2]
SLOW = {'cv2', 'mmcv', 'mmengine', 'mmfmwsss', 'mmseg', 'numpy', 'torch'}
THERE = [
    name for name, tool in COMMANDS.items() if (ROOT / 'tools' / tool).exists()
]


def run(
    folder: Path, *arguments: str, paths: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with its imports on stderr."""
    paths = paths or (ROOT / 'tools', ROOT)
    return subprocess.run(
        [sys.executable, '-X', 'importtime', '-m', 'mmfmwsss_cli', *arguments],
        cwd=folder,
        env={'PYTHONPATH': ':'.join(map(str, paths)), 'PATH': ''},
        capture_output=True,
        text=True,
        check=False,
    )


def said(result: subprocess.CompletedProcess[str]) -> str:
    """Take from stderr what is not the list of imports."""
    lines = result.stderr.splitlines()
    return '\n'.join(x for x in lines if not x.startswith('import time:'))


def imported(result: subprocess.CompletedProcess[str]) -> set[str]:
    lines = re.findall(r'^import time:.*\| +([\w.]+)$', result.stderr, re.M)
    return {line.split('.')[0] for line in lines}


@pytest.mark.parametrize('name', THERE)
def test_help_is_quick_and_names_the_command(
    name: str, tmp_path: Path
) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run(tmp_path, name, '--help')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert result.returncode == 0, said(result)
    assert result.stdout.startswith(f'usage: mmfmwsss {name} ')
    examples = result.stdout.partition('\nexamples:\n')[2]
    assert f'mmfmwsss {name}' in examples
    assert 'python tools/' not in examples
    # Seconds of the processor, whatever else the machine does
    assert after.ru_utime - before.ru_utime < 1
    assert not imported(result) & SLOW


def test_the_overview_lists_every_command(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.returncode == 0
    assert result.stdout == run(tmp_path, '--help').stdout
    for name in THERE:
        sentence = summary(ROOT / 'tools' / COMMANDS[name])
        assert sentence
        assert re.search(
            rf'^  {name} +{re.escape(sentence)}$', result.stdout, re.M
        )
    assert result.stdout.index('\nexamples:\n')
    assert run(tmp_path, '--version').stdout == f'{__version__}\n'


@pytest.mark.parametrize(
    ('slip', 'meant'), [('traim', '`train`'), ('checkdata', '`check-data`')]
)
def test_a_slip_is_answered_with_what_is_meant(
    slip: str, meant: str, tmp_path: Path
) -> None:
    result = run(tmp_path, slip)
    assert result.returncode == 2
    assert f'no command `{slip}`. Is {meant} meant?' in said(result)
    assert not imported(result) & SLOW


def test_wrong_arguments_end_as_in_the_tool(tmp_path: Path) -> None:
    result = run(tmp_path, 'train')
    assert result.returncode == 2
    assert 'mmfmwsss train: error: ' in said(result)


def test_a_package_that_is_not_there(tmp_path: Path) -> None:
    # The command alone: its package is on no path
    (tmp_path / 'mmfmwsss_cli').symlink_to(ROOT / 'tools' / 'mmfmwsss_cli')
    code = (
        'import sys; sys.meta_path = [f for f in sys.meta_path '
        'if "editable" not in str(f)]; import mmfmwsss_cli; '
        'mmfmwsss_cli.main(["train"])'
    )
    result = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        env={'PYTHONPATH': str(tmp_path), 'PATH': ''},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert 'mmfmwsss is not installed' in result.stderr


def test_where_the_tools_are(tmp_path: Path) -> None:
    assert find_package() == ROOT / 'mmfmwsss'
    assert find_tools(ROOT / 'mmfmwsss') == ROOT / 'tools'
    # Another project's `tools` beside an installed package is none of ours
    (tmp_path / 'tools').mkdir()
    assert find_tools(tmp_path / 'mmfmwsss') is None
    carried = tmp_path / 'mmfmwsss' / '.mim' / 'tools'
    carried.mkdir(parents=True)
    (carried / 'arguments.py').touch()
    assert find_tools(tmp_path / 'mmfmwsss') == carried


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        (
            'Run `python tools/train.py configs/fmwsss/a.py`.',
            'Run `mmfmwsss train fmwsss/a.py`.',
        ),
        ('See tools/get_weights.py --list', 'See mmfmwsss weights --list'),
        (
            'python tools/partworld/make_dataset.py data',
            'mmfmwsss partworld data',
        ),
        # No command: stays, as do other projects' paths
        ('python tools/benchmarks/sams.py', 'python tools/benchmarks/sams.py'),
        ('mmseg/tools/train.py', 'mmseg/tools/train.py'),
        ('my/configs/fmwsss/a.py', 'my/configs/fmwsss/a.py'),
    ],
)
def test_own_words(text: str, expected: str) -> None:
    assert in_own_words(text) == expected
    assert in_own_words(expected) == expected


@pytest.mark.slow
def test_an_error_of_the_package_names_commands(tmp_path: Path) -> None:
    """One process: a config by its name, whose data are not there."""
    result = run(
        tmp_path, 'test', 'fmwsss/partworld_seed.py', '--work-dir', 'out'
    )
    assert result.returncode == 2, said(result)[-2000:]
    assert 'fmwsss/partworld_seed.py is no file here' in result.stdout
    error = said(result).splitlines()[-1]
    assert error.startswith('Expected a checkpoint at work_dirs/partworld/')
    assert error.endswith('Make it with: mmfmwsss train '
                          'fmwsss/partworld_prompt.py')  # fmt: skip
