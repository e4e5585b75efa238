# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The first steps are counted as they are typed, and run in their order."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def tool() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / 'tools/benchmarks/first_steps.py'))


def test_lines_by_hand(tool: dict[str, Any], tmp_path: Path) -> None:
    steps = {
        name: tool['first_steps'](name, tmp_path) for name in tool['PATHS']
    }
    # One command
    assert (len(steps['photo'].commands), steps['photo'].lines) == (1, 1)
    # A command, an export, 13 lines of tags, 2 of names
    assert (len(steps['own'].commands), steps['own'].lines) == (1, 17)
    # Two commands, an export, a config of 14 lines
    assert (len(steps['mmseg'].commands), steps['mmseg'].lines) == (2, 17)


def test_what_is_typed_exists(tool: dict[str, Any], tmp_path: Path) -> None:
    for name in tool['PATHS']:
        for command in tool['first_steps'](name, tmp_path).commands:
            words = command.split()
            assert words[0] == 'python' and (ROOT / words[1]).is_file()
            configs = [word for word in words if word.startswith('configs/')]
            assert all((ROOT / config).is_file() for config in configs)


def test_every_photo_has_its_tag(tool: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip('skimage')
    tool['write_photos'](tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    rows = tool['label_file']().splitlines()[1:]
    assert sorted(row.split(',')[0] for row in rows) == names
    assert len(names) == 12
    assert {row.split(',')[1] for row in rows} == {'cat', 'cup', 'motorcycle'}


def test_steps_are_run_with_their_files_and_variables(
    tool: dict[str, Any], tmp_path: Path
) -> None:
    script = tmp_path / 'step.py'
    script.write_text(
        'import os, pathlib, sys\n'
        'here = pathlib.Path(__file__).parent\n'
        'text = (here / "notes" / "a.txt").read_text()\n'
        '(here / sys.argv[1]).write_text(text + os.environ["WORD"])\n'
        'sys.exit(int(sys.argv[2]))\n'
    )
    steps = tool['Steps'](
        (f'python {script} one 0', f'python {script} two 3'),
        dict(WORD='b'),
        {tmp_path / 'notes' / 'a.txt': 'a'},
    )
    with pytest.raises(SystemExit, match='two 3` ended with 3'):
        tool['run_steps'](steps)
    assert (tmp_path / 'one').read_text() == 'ab'
    good = tool['Steps'](steps.commands[:1], steps.variables, steps.files)
    wall, cpu = tool['run_steps'](good)
    assert wall > 0 and cpu > 0


def test_the_table(
    tool: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    steps = tool['Steps'](('python a', 'python b'))
    lines = tool['table']([('photo', steps, 12.4, 20.6)]).splitlines()
    assert lines[-1] == '| photo | 2 | 2 | 12 | 21 |'
    assert tool['main'](['--dry-run', '--only', 'own']) == 0
    printed = capsys.readouterr().out
    assert 'chelsea_0.png,cat' in printed
    assert printed.rstrip().endswith('python tools/run_pipeline.py custom')
