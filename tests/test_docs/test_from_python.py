# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The blocks of ``docs/from_python.md`` and the cells of the notebook run."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS
from PIL import Image

from mmfmwsss.apis import SeedInferencer, SeedResult
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import read_config
from mmfmwsss.workshop.partworld.small_runs import write_quarter_masks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'from_python.md').read_text()
SECTIONS = dict(part.split('\n', 1) for part in PAGE.split('\n## ')[1:])
BLOCKS = {
    title: re.findall(r'```python\n(.*?)```', text, re.S)
    for title, text in SECTIONS.items()
}
NOTEBOOK = ROOT / 'docs' / 'notebooks' / 'photo_to_seed.ipynb'


def run(title: str) -> dict[str, Any]:
    """Run a block where the weights of the tiny models are."""
    (block,) = BLOCKS[title]
    space: dict[str, Any] = {}
    exec(block.replace("'photo'", "'tiny'"), space)
    return space


def write_model(name: str, config_file: str, weights_file: str) -> None:
    """Write a config of ours, and random weights of its model."""
    config = read_config(ROOT / 'configs' / 'fmwsss' / f'{name}.py')
    with DefaultScope.overwrite_default_scope('mmseg'):
        state = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=state, meta={}), weights_file)
    config.dump(config_file)


@pytest.fixture(autouse=True)
def _desk(
    tmp_path: Path, partworld_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that the page speaks of, in the working folder."""
    monkeypatch.chdir(tmp_path)
    pictures = sorted((partworld_root / 'JPEGImages').glob('*.jpg'))
    shutil.copy(pictures[0], 'photo.jpg')
    for number, name in enumerate(('beach', 'kitchen')):
        for folder in ('photos', 'data/images'):
            Path(folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(pictures[number], f'{folder}/{name}.jpg')
    Path('data/labels.txt').write_text('beach dog\nkitchen cat dog\n')
    write_quarter_masks(Path('photos'), Path('mask_files'))
    write_quarter_masks(Path(), Path())
    np.save('masks.npy', np.eye(4, dtype=bool).reshape(1, 4, 4))
    np.save('cams.npy', np.eye(4, dtype=np.float32)[:2, :, None].repeat(4, 2))


def test_every_section_has_a_block_of_a_few_lines() -> None:
    assert len(BLOCKS) == 9
    for title, blocks in BLOCKS.items():
        (block,) = blocks
        lines = [line for line in block.splitlines() if line.strip()]
        assert len(lines) < 10, title


def test_one_photo() -> None:
    space = run('One photo and its tags to a seed')
    result = space['result']
    assert result.seed.shape == Image.open('photo.jpg').size[::-1]
    assert set(np.unique(result.seed)) <= {0, 1, 2}


def test_many_photos(capsys: pytest.CaptureFixture[str]) -> None:
    space = run('Many photos')
    assert [r.name for r in space['found']['predictions']] == [
        'beach',
        'kitchen',
    ]
    assert space['found']['failures'] == {}
    assert 'kitchen' in capsys.readouterr().out
    assert len(list(Path('out').iterdir())) == 3 * 2 + 3


def test_learnt_prompts() -> None:
    write_model('partworld_seed', 'my_seed_config.py', 'my_prompts.pth')
    result = run('Prompts that you have learnt')['result']
    assert (result.tags, result.labels) == (('car',), (1,))


def test_own_cams_and_masks() -> None:
    """One mask, equally active for both: the background scores 0."""
    space = run('Your own CAMs and masks to a seed')
    assert set(np.unique(space['seed'])) == {0, 8}
    assert (space['seed'] == 8).sum() == 4
    assert space['decisions'].scores.tolist() == [[0, 1, 1]]


def test_cam_for_names() -> None:
    space = run('The CAM of a photo for names')
    assert space['cams'].shape[0] == 2
    assert 0 <= space['scores']['sofa'] <= 1


def test_losses() -> None:
    space = run('The losses on your own logits and maps')
    space['loss'].backward()
    assert space['loss'] > 0 and space['logits'].grad.any()


def test_mask_files() -> None:
    space = run('A file of masks')
    assert len(space['masks']) == 3 and len(space['wholes']) == 2
    assert len(SAMMasks.load('wholes.json')) == 2


def test_network_refined() -> None:
    write_model('partworld_deeplabv3plus', 'my_network.py', 'my_network.pth')
    space = run('The output of a mmseg network, refined by SAMS')
    assert space['labels'].shape == space['logits'].shape[1:]
    assert len(space['labels'].unique()) <= 3  # a label for each mask


def test_data_set() -> None:
    data = run('A data set')['data']
    assert len(data) == 2
    labels = data[1]['data_samples'].image_labels
    assert labels.tolist() == [True, True]


def test_notebook_without_weights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is stored without outputs, and its code runs from top to bottom."""
    monkeypatch.delenv('MOBILE_SAM', raising=False)
    content = json.loads(NOTEBOOK.read_text())
    cells = [c for c in content['cells'] if c['cell_type'] == 'code']
    assert not any(cell['outputs'] for cell in cells)
    space: dict[str, Any] = {}
    for cell in cells:
        exec(''.join(cell['source']), space)
    text = capsys.readouterr().out
    assert 'tools/get_weights.py' in text and 'MaskVoting' in text
    assert isinstance(space['result'], SeedResult)
    assert isinstance(space['inferencer'], SeedInferencer)
    assert len(list((space['folder'] / 'out').iterdir())) >= 4
