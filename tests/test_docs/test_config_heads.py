# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page of configs, against heads worked by hand and the real ones."""

from pathlib import Path

import pytest
from config_heads import entry, pages_part, read_head, table

ROOT = Path(__file__).parents[2]


CONFIGS = sorted((ROOT / 'configs' / 'fmwsss').rglob('*.py'))
HEAD = """\
# Learn it on A; then B. Two runs:
#   a -> b
#   c -> d
# There, more.
# Needs: x.py, and
#        y.
# Run:   python tools/train.py configs/x.py \\
#            --resume
#        (several GPUs: torchrun ...
#        --launcher pytorch)
# Cost:  not run here.
# Of the first line of the config.
a = 1  # no part of it
# Run:   nothing
"""


def test_a_head_by_hand() -> None:
    head = read_head(HEAD)
    assert head.purpose == (
        'Learn it on A; then B. Two runs: \n\n```text\n  a -> b\n  c -> d\n'
        '```\n\nThere, more.'
    )
    assert head.fields == {
        'Needs': ['x.py, and', 'y.'],
        'Run': [
            'python tools/train.py configs/x.py \\',
            '--resume',
            '(several GPUs: torchrun ...',
            '--launcher pytorch)',
        ],
        'Cost': ['not run here.'],
    }


def test_an_entry_by_hand(tmp_path: Path) -> None:
    path = tmp_path / 'x.py'
    path.write_text(HEAD)
    written = entry(path)
    assert written.startswith('### x { #x }\n\nLearn it on A')
    assert '\n\n**Needs:** x.py, and y.\n\n**Cost:** not run here.' in written
    assert written.endswith(
        '```bash\n'
        'python tools/train.py configs/x.py \\\n'
        '    --resume\n'
        '# (several GPUs: torchrun ...\n'
        '# --launcher pytorch)\n'
        '```\n'
    )
    assert table([path]).splitlines()[-1] == '| [`x.py`](#x) | Learn it on A |'
    linked = written.replace('x.py, and', '[x.py](#x), and')
    assert pages_part(tmp_path, '*.py') == f'{table([path])}\n{linked}'


@pytest.mark.parametrize('text', ['a = 1\n', '# Run: a\nb = 1\n', ''])
def test_a_config_without_a_purpose_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='the purpose at the head'):
        read_head(text)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_config_says_its_purpose_command_and_cost(path: Path) -> None:
    head = read_head(path.read_text())
    assert len(head.purpose) > 20
    assert {'Run', 'Cost'} <= set(head.fields)
    assert all(''.join(lines) for lines in head.fields.values())


def test_every_config_is_on_the_page() -> None:
    page = (ROOT / 'docs' / 'configs.md').read_text()
    patterns = [
        line.split()[2]
        for line in page.splitlines()
        if line.startswith('<!-- configs: ')
    ]
    folder = ROOT / 'configs' / 'fmwsss'
    shown = [path for name in patterns for path in folder.glob(name)]
    assert sorted(shown) == CONFIGS
