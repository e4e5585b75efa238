# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The command that runs a whole pipeline: choice, failure, summary."""

import json
import shlex
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.stages import Stage, pipeline_stages
from mmfmwsss.workshop.stages.pipelines import PIPELINES

ROOT = Path(__file__).parents[2]
TOOL = run_path(str(ROOT / 'tools' / 'run_pipeline.py'))


def test_it_knows_the_data_sets_of_the_package() -> None:
    assert TOOL['DATA_SETS'] == tuple(PIPELINES)


def test_a_dry_run_prints_lines_for_a_shell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ['--dry-run', '--from', 'seed', '--until', 'deeplabv3plus']
    assert TOOL['main'](['voc', *arguments]) == 0
    first, second, *lines = [
        line
        for line in capsys.readouterr().out.splitlines()
        if '_ROOT=' not in line  # where the tests' own data are
    ]
    assert shlex.split(first) == ['cd', str(ROOT)]
    assert second == 'export PYTHONPATH=$PWD'
    assert lines[0].startswith('# 3/8 seed: ')
    assert lines[1].startswith('python tools/test.py configs/fmwsss/voc_seed')
    assert lines[2].startswith('# 4/8 deeplabv3plus: ')
    assert len(lines) == 4


def test_a_dry_run_sets_the_variables_that_its_configs_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = dict(
        CUSTOM_MODELS='tiny',
        CUSTOM_NETWORK_EPOCHS='1',
        CUSTOM_ROOT='/my photos',
        CUSTOM_WORK='work_dirs/mine',
    )
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv('VOC12_ROOT', 'of another data set')
    assert TOOL['main'](['custom', '--dry-run']) == 0
    text = capsys.readouterr().out
    exports = [
        shlex.split(line)[1].split('=', 1)
        for line in text.splitlines()
        if line.startswith('export ')
    ]
    assert {key: value for key, value in exports if key in variables} == (
        variables
    )
    assert 'VOC12_ROOT' not in dict(exports)
    # One epoch stays one
    assert 'max_epochs' not in text
    assert 'deeplabv3plus/epoch_1.pth' in text


def test_data_that_are_not_there_are_missed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('VOC12_ROOT', str(tmp_path / 'VOC2012'))
    with pytest.raises(UserInputError, match='export VOC12_ROOT='):
        TOOL['main'](['animals', '--out', str(tmp_path / 'out')])
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    'arguments',
    [['--gpus', '0'], ['--schedule', '-1'], ['--images', 'x'], ['voc14']],
)
def test_wrong_numbers_and_names_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        TOOL['parse_args'](arguments)


def write(name: str, text: str, code: str = 'pass') -> tuple[str, ...]:
    """A command that writes a file and may do something before."""
    return ('-c', f'{code}; open({name!r}, "a").write({text!r})')


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Stage]:
    """Three stages in place of those of PartWorld, in an empty repository."""
    found = [
        Stage('one', 'first', write('one.txt', '1'), outputs=('one.txt',)),
        Stage('two', 'second', write('two.txt', '2'), ('one',)),
        Stage('three', 'third', write('three.txt', '3'), ('two',)),
    ]
    monkeypatch.setattr(
        pipeline_stages, 'list_stages', lambda *args: list(found)
    )
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    monkeypatch.setitem(TOOL['main'].__globals__, 'ROOT', tmp_path)
    return found


def ran(root: Path) -> dict[str, int]:
    """How often each stage has run."""
    return {
        path.stem: len(path.read_text()) for path in sorted(root.glob('*.txt'))
    }


def run(*arguments: str) -> Any:
    return TOOL['main'](['--out', 'out', *arguments])


def test_done_stages_are_skipped_and_said_to_be(
    chain: list[Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    assert 'skipped: done' not in capsys.readouterr().out
    run()
    text = capsys.readouterr().out
    assert text.count('skipped: done before') == 3
    assert '* not run now: done before' in text
    assert ran(tmp_path) == dict(one=1, two=1, three=1)
    seconds = json.loads((tmp_path / 'out/summary.json').read_text())
    assert list(seconds['seconds']) == ['one', 'two', 'three']


def test_a_part_of_the_stages(chain: list[Stage], tmp_path: Path) -> None:
    run('--until', 'two')
    assert ran(tmp_path) == dict(one=1, two=1)
    run('--from', 'three')
    assert ran(tmp_path) == dict(one=1, two=1, three=1)
    run('--only', 'two', '--fresh')
    assert ran(tmp_path) == dict(one=1, two=2, three=1)
    # What a stage before left is taken as it is, if it was made at all
    run('--only', 'one', '--fresh')
    run('--from', 'two')
    assert ran(tmp_path)['one'] == 1


def test_a_failure_stops_and_says_how_to_go_on(
    chain: list[Stage], tmp_path: Path
) -> None:
    chain[1] = Stage(
        'two',
        'second',
        write('two.txt', '2', 'print("disk full"); raise SystemExit(3)'),
        ('one',),
    )
    with pytest.raises(UserInputError) as caught:
        run()
    text = str(caught.value)
    assert 'disk full' in text
    assert 'exit code 3' in text
    assert str(tmp_path / 'out/logs/two.log') in text
    assert 'same command again' in text
    assert '`two`' in text
    assert ran(tmp_path) == dict(one=1)
    chain[1] = Stage('two', 'second', write('two.txt', '2'), ('one',))
    run()
    assert ran(tmp_path) == dict(one=1, two=1, three=1)
