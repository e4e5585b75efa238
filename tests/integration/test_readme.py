# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the documents name exists; the commands take their arguments."""

import argparse
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from mmengine.registry import Registry
from mmseg import registry

ROOT = Path(__file__).parents[2]
README = (ROOT / 'README.md').read_text()
NAMES = (ROOT / 'docs' / 'your_mmseg_model.md').read_text()
DOCUMENTS = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    ROOT / 'requirements' / 'README.md',
    *sorted((ROOT / 'docs').rglob('*.md')),
]
PATH = re.compile(
    r'(?<![\w./~-])'
    r'(?:tools|configs|mmfmwsss|tests|docs|requirements)/[\w./*-]*[\w/*]'
)
OF_MMSEG = 'configs/mask2former/'
OUR_FILES = ''.join(
    f'{path}\n'
    for folder in ('configs', 'mmfmwsss', 'tests', 'tools')
    for path in (ROOT / folder).rglob('*')
)
SCRIPTS = sorted(
    {
        script
        for path in DOCUMENTS
        for script in re.findall(
            r'python +(tools/[\w/]+\.py)', path.read_text()
        )
    }
)


@pytest.mark.parametrize(
    'path', DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT))
)
def test_files_exist(path: Path) -> None:
    text = path.read_text()
    named = set(PATH.findall(text))
    named -= set(re.findall(r'```\w+\n# (\S+)\n', text))  # files of a reader
    missing = [name for name in named if not any(ROOT.glob(name.rstrip('/')))]
    assert [n for n in missing if not n.startswith(OF_MMSEG)] == []
    # `_seed.py` in a table is the end of a config's name
    bare = re.findall(r'`(?:\{\w+(?:,\w+)*\})?(\w+\.(?:py|sh))`', text)
    assert [name for name in bare if f'{name}\n' not in OUR_FILES] == []
    linked = re.findall(r'\]\((?!https?:)([^)#]+)', text)
    missing = [name for name in linked if not (path.parent / name).exists()]
    assert not missing


def test_the_readme_names_files() -> None:
    assert len(SCRIPTS) > 8
    assert 'tools/train.py' in SCRIPTS


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


def commands_of(text: str) -> list[list[str]]:
    """Words of the commands of tools in the shell blocks of a document."""
    blocks = re.findall(r'^```(?:bash|shell)\n(.*?)^```', text, re.M | re.S)
    lines = '\n'.join(blocks).replace('\\\n', ' ').replace('&&', '\n')
    calls = re.findall(r'^.*?\bpython +(tools/.*)$', lines, re.M)
    return [shlex.split(call, comments=True) for call in calls]


def test_commands_are_read() -> None:
    text = 'a\n```bash\nA=1 python  tools/x.py a \\\n  --b  # c\n```\n'
    assert commands_of(text) == [['tools/x.py', 'a', '--b']]
    assert len(commands_of(README)) > 5


@pytest.mark.parametrize(
    'path', DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT))
)
def test_commands_are_accepted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in commands_of(path.read_text()):
        parse_args = runpy.run_path(str(ROOT / words[0]))['parse_args']
        if words[1:] != ['--help']:
            monkeypatch.setattr(sys, 'argv', words)
            assert isinstance(parse_args(), argparse.Namespace)


def test_make_targets_exist() -> None:
    targets = re.findall(r'^make ([\w-]+)', README, re.M)
    assert {'demo', 'test'} <= set(targets)
    makefile = (ROOT / 'Makefile').read_text()
    for target in targets:
        assert re.search(rf'^{target}:', makefile, re.M), target


def test_registered_names_exist() -> None:
    table = NAMES.split('| registered | names |')[1].split('\n\n')[0]
    names = re.findall(r'`(\w+)`', table)
    assert len(names) > 20
    registries = [
        r for r in vars(registry).values() if isinstance(r, Registry)
    ]
    assert not [n for n in names if not any(n in r for r in registries)]
    # And each of ours, by one of its names
    known: dict[type, set[str]] = {}
    for each in registries:
        for name, module in each.module_dict.items():
            if module.__module__.startswith('mmfmwsss.'):
                known.setdefault(module, set()).add(name)
    assert len(known) > 40
    assert not [c.__name__ for c, own in known.items() if not own & {*names}]
