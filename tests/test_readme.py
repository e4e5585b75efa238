# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the README names exists, and its commands take their arguments."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmseg import registry

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()
SCRIPTS = sorted(set(re.findall(r'python (tools/[\w/]+\.py)', README)))


def test_files_exist() -> None:
    named = re.findall(r'(?:tools|configs|mmfmwsss)/[\w/]+\.(?:py|md)', README)
    assert len(named) > 10
    missing = [name for name in named if not (ROOT / name).is_file()]
    assert not missing


def test_make_targets_exist() -> None:
    targets = re.findall(r'^make ([\w-]+)', README, re.M)
    assert {'demo', 'test'} <= set(targets)
    makefile = (ROOT / 'Makefile').read_text()
    for target in targets:
        assert re.search(rf'^{target}:', makefile, re.M), target


def test_registered_names_exist() -> None:
    table = README.split('| registered | names |')[1].split('\n\n')[0]
    names = re.findall(r'`(\w+)`', table)
    assert len(names) > 20
    registries = (
        registry.MODELS, registry.DATASETS, registry.TRANSFORMS,
        registry.METRICS, registry.HOOKS, registry.TASK_UTILS,
    )  # fmt: skip
    missing = [n for n in names if not any(n in r for r in registries)]
    assert not missing


@pytest.mark.slow
@pytest.mark.parametrize('script', SCRIPTS)
def test_scripts_have_help(script: str) -> None:
    result = subprocess.run(
        [sys.executable, script, '--help'],
        cwd=ROOT,
        env={'PYTHONPATH': str(ROOT), 'PATH': ''},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-500:]
    assert 'usage:' in result.stdout
