# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tools answer --help and wrong arguments at once, without torch."""

import argparse
import ast
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / 'tools').rglob('*.py')
    if "if __name__ == '__main__':" in path.read_text()
    and path.parent.name != 'mmfmwsss_cli'
)
SLOW = {'cv2', 'mmcv', 'mmengine', 'mmfmwsss', 'mmseg', 'numpy', 'torch'}


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool with the names of what it imports on stderr."""
    return subprocess.run(
        [sys.executable, '-X', 'importtime', tool, *arguments],
        cwd=ROOT,
        env={'PYTHONPATH': str(ROOT), 'PATH': ''},
        capture_output=True,
        text=True,
        check=False,
    )


def imported(result: subprocess.CompletedProcess[str]) -> set[str]:
    """Packages that a run has imported."""
    lines = re.findall(r'^import time:.*\| +([\w.]+)$', result.stderr, re.M)
    return {line.split('.')[0] for line in lines}


def load(tool: str) -> dict[str, Any]:
    """Names of a tool, which does not run."""
    return runpy.run_path(str(ROOT / tool))


def examples_of(text: str) -> list[str]:
    """Commands after "examples:", each on one line."""
    block = text.partition('\nexamples:\n')[2].replace('\\\n', ' ')
    return [line.strip() for line in block.splitlines()]


def test_all_tools_are_found() -> None:
    assert {'tools/train.py', 'tools/partworld/train_sam.py'} <= set(TOOLS)
    others = {str(p.relative_to(ROOT)) for p in ROOT.glob('tools/**/*.py')}
    others = {name for name in others if '/mmfmwsss_cli/' not in name}
    assert others - set(TOOLS) == {'tools/arguments.py'}


@pytest.mark.parametrize('tool', TOOLS)
def test_help_needs_the_standard_library_only(tool: str) -> None:
    result = run(tool, '--help')
    assert result.returncode == 0, result.stderr[-500:]
    assert result.stdout.startswith(f'usage: {Path(tool).name}')
    found = imported(result)
    assert 'argparse' in found  # the names are read
    assert not found & SLOW
    examples = examples_of(result.stdout)
    assert examples
    assert all(f'python {tool}' in example for example in examples)


@pytest.mark.parametrize('tool', TOOLS)
def test_wrong_arguments_are_refused_before_the_slow_imports(
    tool: str,
) -> None:
    result = run(tool, '--no-such-option')
    assert result.returncode == 2
    assert f'{Path(tool).name}: error: ' in result.stderr
    assert not imported(result) & SLOW


def test_a_slip_of_an_option_of_the_config_is_refused_at_once() -> None:
    result = run('tools/train.py', 'a.py', '--cfg-options', 'b', '=', '3')
    assert result.returncode == 2
    assert 'argument --cfg-options: expected KEY=VALUE' in result.stderr
    assert not imported(result) & SLOW


@pytest.mark.parametrize('tool', [*TOOLS, 'tools/arguments.py'])
def test_every_option_is_explained(tool: str) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / tool).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == 'add_argument'
    ]
    assert calls
    for call in calls:
        helps = [k.value for k in call.keywords if k.arg == 'help']
        assert len(helps) == 1, ast.unparse(call)
        assert ast.unparse(helps[0]) not in ("''", 'None')


@pytest.mark.parametrize('tool', TOOLS)
def test_examples_are_commands_that_the_parser_takes(
    tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load(tool)
    for example in examples_of(f'\n{module["EXAMPLES"]}'):
        words = shlex.split(example)
        arguments = words[words.index('python') + 2 :]
        monkeypatch.setattr(sys, 'argv', [tool, *arguments])
        assert isinstance(module['parse_args'](), argparse.Namespace)


def test_choices_are_those_of_the_package() -> None:
    from mmseg.registry import TASK_UTILS

    from mmfmwsss.models.masks import EverythingSettings
    from mmfmwsss.models.seeding import BaseSeeder
    from mmfmwsss.structures import WHOLE
    from mmfmwsss.workshop.benchmarks import COMPARISONS
    from mmfmwsss.workshop.cam_files import CAM_FORMATS, CAM_KEYS
    from mmfmwsss.workshop.photo_clip import Settings
    from mmfmwsss.workshop.tables import PAPER_TABLES, TABLE_DATASETS

    seeds = load('tools/seed_from_cams.py')
    assert set(seeds['CAM_FORMATS']) == set(CAM_FORMATS)
    assert seeds['CAM_KEYS'] == CAM_KEYS
    seeders = TASK_UTILS.module_dict.items()
    assert set(seeds['SEEDERS']) == {
        name
        for name, found in seeders
        if isinstance(found, type) and issubclass(found, BaseSeeder)
    }
    masks = load('tools/import_masks.py')
    assert set(masks['FORMATS']) == set(masks['READERS'])
    assert masks['LEVELS'][-1] == WHOLE
    tables = load('tools/reproduce_tables.py')
    assert set(tables['TABLES']) == set(PAPER_TABLES)
    assert set(tables['DATASETS']) == set(TABLE_DATASETS)
    score = load('tools/partworld/score_sam.py')
    settings = vars(EverythingSettings())
    assert set(score['COUNTS']) <= set(settings)
    for name, (default, _) in score['THRESHOLDS'].items():
        assert settings[name] == default
    assert set(load('tools/benchmarks/run.py')['LETTERS']) == set(COMPARISONS)
    photo_clip = load('tools/photo_clip/train.py')['SETTINGS']
    assert vars(Settings()) == {k: v for k, (v, _) in photo_clip.items()}
