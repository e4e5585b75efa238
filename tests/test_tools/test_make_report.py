# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The report command."""

import importlib.util
import json
from pathlib import Path

import pytest

from mmfmwsss.utils import UserInputError

PATH = Path(__file__).parents[2] / 'tools' / 'make_report.py'
SPEC = importlib.util.spec_from_file_location('make_report_tool', PATH)
assert SPEC is not None and SPEC.loader is not None
TOOL = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(TOOL)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A test of masks: numbers, no images."""
    folder = tmp_path / 'masks <&'
    folder.mkdir()
    (folder / 'my_masks.py').write_text("model = dict(type='None')\n")
    metrics = {'masks_per_image': 14.5, 'done': 1200}
    record = dict(metrics=metrics, seconds=3.5)
    (folder / 'metrics.json').write_text(json.dumps(record))
    return folder


def test_writes_one_file(run: Path, tmp_path: Path) -> None:
    out = tmp_path / 'new' / 'report.html'
    assert TOOL.main([str(run), '--out', str(out), '--title', 'A & B']) == 0
    html = out.read_text(encoding='utf-8')
    assert '<h1>A &amp; B</h1>' in html
    assert 'masks &lt;&amp;' in html and '14.50' in html and '1,200' in html
    assert list(out.parent.iterdir()) == [out]


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match='no config in it'):
        TOOL.main([str(tmp_path)])


def test_count_must_not_be_negative(run: Path) -> None:
    with pytest.raises(UserInputError, match='0 or more images, got -1'):
        TOOL.main([str(run), '--images', '-1'])
