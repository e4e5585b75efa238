# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A comparison that fails is reported, and the others go on."""

import importlib.util
import itertools
import json
import subprocess
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / 'tools' / 'benchmarks' / 'run.py'
SPEC = importlib.util.spec_from_file_location('benchmarks_tool', PATH)
run = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(run)


def _child(command, **kwargs):
    """Write what the process of a comparison would, or fail as it would."""
    # The last of an option counts
    options = dict(itertools.pairwise(command))
    out, letter = Path(options['--out']), options['--only']
    out.mkdir(parents=True, exist_ok=True)
    found = dict(title=f'title {letter}', state='measured', rows=[])
    if letter == 'b':  # killed before it wrote a row
        return subprocess.CompletedProcess(command, -9)
    (out / 'bench.json').write_text(json.dumps({letter: found}))
    if letter == 'c':
        raise subprocess.TimeoutExpired(command, kwargs['timeout'])
    return subprocess.CompletedProcess(command, 0)


def test_the_others_go_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(run.subprocess, 'run', _child)
    argv = ['--only', 'a,b,c,d', '--within', '1', '--out', str(tmp_path)]
    assert run.main(argv) == 1
    results = json.loads((tmp_path / 'bench.json').read_text())
    assert {letter: found['state'] for letter, found in results.items()} == {
        'a': 'measured',
        'b': 'failed with code -9',
        'c': 'failed: stopped after 0.5 minutes',
        'd': 'measured',
    }
    page = (tmp_path / 'bench.md').read_text()
    assert '## (c) title c' in page and 'failed with code -9.' in page
    told = capsys.readouterr()
    assert told.out == page + '\n'
    assert '(c) 3 of 4, 0.0 minutes so far, about ' in told.err


def test_no_time_is_left(monkeypatch, tmp_path):
    monkeypatch.setattr(run.subprocess, 'run', _child)
    argv = ['--only', 'a', '--within', '0', '--out', str(tmp_path)]
    assert run.main(argv) == 1
    found = json.loads((tmp_path / 'bench.json').read_text())
    assert found['a']['state'] == 'failed: no time was left; see --within'


def test_all_well_is_0(monkeypatch, tmp_path):
    monkeypatch.setattr(run.subprocess, 'run', _child)
    assert run.main(['--only', 'a,d', '--out', str(tmp_path)]) == 0


def test_every_letter_has_its_minutes():
    assert set(run.MINUTES) == set(run.LETTERS) == set(run.ORDER)
    assert sum(run.MINUTES.values()) <= 20


def test_unknown_letters_are_refused(capsys):
    with pytest.raises(SystemExit):
        run.parse_args(['--only', 'a,x'])
    assert 'expected letters of a, b' in capsys.readouterr().err
