# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The tables' command collects what its runs wrote."""

import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.report import ImageCard, Picture
from mmfmwsss.workshop.stages import Stage, StageRecord, StageRunner
from mmfmwsss.workshop.tables.paper_figures import PaperFigure

SCRIPT = Path(__file__).parents[2] / 'tools' / 'reproduce_tables.py'
MIOU = {  # what the runs of Table 5 are made to report, by seed
    'binary_cross_entropy_test': (20.0, 22.0),
    'seeds': (41.0, 42.0),
    'cross_entropy_test': (30.0, 30.0),
}


def write_losses(run: Path) -> None:
    """What a training of two iterations logs."""
    folder = run / '2026' / 'vis_data'
    folder.mkdir(parents=True)
    rows = [json.dumps(dict(loss=1.0 / n, step=n)) for n in (1, 2)]
    (folder / 'scalars.json').write_text('\n'.join(rows))


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with runs that write figures at once."""
    spec = importlib.util.spec_from_file_location('reproduce_tables', SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(self: StageRunner, stage: Stage) -> bool:
        seconds = 60.0 if stage.is_training else 10.0
        folder = self.root / self.out / stage.name
        folder.mkdir(parents=True, exist_ok=True)
        if stage.is_training:
            (folder / 'config.py').write_text("model = dict(type='None')")
            write_losses(folder)
        self.records[stage.name] = StageRecord('key', seconds, 500.0)
        seed, _, name = stage.name.partition('/')
        if name in MIOU:
            value = MIOU[name][int(seed.removeprefix('seed'))]
            kinds = {'coarse_seed': value, 'fine_seed': value - 0.5}
            metrics = {f'{k}/mIoU': v for k, v in kinds.items()}
            metrics |= {f'{kind}/images': 1000.0 for kind in kinds}
            scores = {  # of background, car, dog, and a class never seen
                'background': dict(precision=0.0, recall=0.0),
                'car': dict(precision=value, recall=80.0),
                'dog': dict(precision=20.0, recall=60.0),
                'cat': dict(precision=None, recall=None),
            }
            records = dict(coarse_seed=dict(classes=scores))
            record = json.dumps(dict(metrics=metrics, records=records))
            (folder / 'metrics.json').write_text(record)
        return True

    monkeypatch.setattr(StageRunner, 'run', run)
    monkeypatch.setattr(module, 'draw_figures', draw_figures)
    monkeypatch.chdir(tmp_path)  # the tool goes elsewhere
    return module


def draw_figures(
    folders: Mapping[str, Path], images: int
) -> list[PaperFigure]:
    """One figure, of the runs that it is given."""
    if not images:
        return []
    picture = Picture(' '.join(folders), np.zeros((8, 8, 3), np.uint8), 'g')
    card = ImageCard('train_0000', ['car'], [picture], 12.5, 'mIoU 12.5 %')
    return [PaperFigure(1, [card], {}, 'One image.')]


def start(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> int:
    monkeypatch.setattr(sys, 'argv', ['reproduce_tables.py', *arguments])
    return int(tool.main())


def test_tables_beside_the_papers(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / 'notes.md'
    notes.write_text(
        'Preface.\n\n## Table 5\n\nOne\nremark.\n\nTwo.\n\n'
        '## Else\n\nNot shown.\n'
        '## Runs\n\nAll at once.\n## Table 4\n'
    )
    out = tmp_path / 'out'
    arguments = ('--tables', '5', '--seeds', '2', '--notes', str(notes))
    assert start(tool, monkeypatch, *arguments, '--out', str(out)) == 0
    page = (out / 'tables.md').read_text()
    assert (
        '| L_BCE | 65.9 | 21.0 ± 1.4 | 20.5 / 70.0 | 70 s | 500 MiB |' in page
    )
    shared = '70 s, shared | 500 MiB |'
    assert f'| L_MCL | 71.5 | 41.5 ± 0.7 | 30.8 / 70.0 | {shared}' in page
    assert '| L_MCL + L_CE | 52.1 | 29.5 ± 0.0 |  | 70 s | 500 MiB |' in page
    assert 'PartWorld train, 1,000 images, 2 seeds' in page
    # In the paper CE is worse than BCE, and CAL better than MCL alone.
    assert "4 of 6 pairs of rows are in the paper's order." in page
    assert 'One remark.\n\nTwo.' in page
    assert '\n\nAll at once.\n\n## Table 5' in page
    assert 'Not shown' not in page
    assert '![Figure 1: CAMs and seeds of' in page
    assert '](figure_1.jpg)' in page
    with Image.open(out / 'figure_1.jpg') as picture:
        assert picture.format == 'JPEG'
    html = (out / 'tables.html').read_text()
    assert 'Table 5: losses' in html
    assert 'Learning curves of prompts' in html
    assert '<figcaption>seeds</figcaption>' in html  # the one run for figures


def test_no_figures(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / 'out'
    arguments = ('--tables', '5', '--figure-images', '0', '--out', str(out))
    assert start(tool, monkeypatch, *arguments) == 0
    assert 'Figure' not in (out / 'tables.md').read_text()
    assert not list(out.glob('*.jpg'))


def test_remarks_that_are_not_there(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = str(tmp_path / 'nowhere.md')
    with pytest.raises(UserInputError, match=r'nowhere\.md.*Correct --notes'):
        start(tool, monkeypatch, '--tables', '5', '--notes', missing)


def test_a_run_without_figures_is_named(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / 'out'
    with pytest.raises(UserInputError, match='unified_context_test'):
        start(tool, monkeypatch, '--tables', '2', '--out', str(out))
