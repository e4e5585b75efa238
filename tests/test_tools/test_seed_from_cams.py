# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAM folder in, seeds and a score out."""

import importlib.util
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from PIL import Image

from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

PATH = Path(__file__).parents[2] / 'tools' / 'seed_from_cams.py'
SPEC = importlib.util.spec_from_file_location('seed_from_cams', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


@pytest.fixture
def messages(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture
def folders(tmp_path):
    """Three images of two squares; the truth is the squares."""
    names = ['a', 'b', 'c']
    for folder in ('cams', 'images', 'truth', 'masks'):
        (tmp_path / folder).mkdir()
    masks = torch.zeros(2, 20, 30, dtype=torch.bool)
    masks[0, 4:12, 3:12] = True
    masks[1, 10:18, 18:28] = True
    levels = torch.tensor([2, 2])
    record = SAMMasks(masks, levels, torch.ones(2), torch.ones(2))
    truth = masks[0] * 5 + masks[1] * 2
    rng = np.random.default_rng(0)
    for name in names:
        noise = rng.uniform(0, 0.2, (2, 10, 15)).astype(np.float16)
        noise[0, 2:6, 2:6] += 1
        noise[1, 5:9, 9:14] += 1
        np.save(
            tmp_path / 'cams' / f'{name}.npy',
            {'keys': np.array([4, 1]), 'attn_highres': noise},
            allow_pickle=True,
        )
        record.save(tmp_path / 'masks' / f'{name}.json')
        write_palette_png(tmp_path / 'truth' / f'{name}.png', truth.numpy())
        picture = (
            rng.integers(0, 9, (20, 30, 3))
            + 90 * truth.numpy()[..., None] % 256
        )
        Image.fromarray(picture.astype(np.uint8)).save(
            tmp_path / 'images' / f'{name}.png'
        )
    (tmp_path / 'list.txt').write_text('a\nb\n')
    return tmp_path


def run(folders, *more, masks=True):
    arguments = [str(folders / 'cams')]
    arguments += [str(folders / 'masks')] if masks else []
    arguments += ['--format', 'clip_es', '--out', str(folders / 'out')]
    return tool.main(arguments + [str(value) for value in more])


def score(folders):
    return ['--ground-truth', folders / 'truth', '--num-classes', 6]


def test_seeds_and_score(folders, messages):
    assert run(folders, *score(folders)) == 0
    for name in 'abc':
        seed = read_label_png(folders / 'out' / f'{name}.png')
        truth = read_label_png(folders / 'truth' / f'{name}.png')
        np.testing.assert_array_equal(seed, truth)
    assert 'mIoU 100.00 of 3 images (all CAMs), 6 labels' in messages.text
    with Image.open(folders / 'out' / 'a.png') as picture:
        assert picture.mode == 'P'


@pytest.mark.parametrize(
    'seeder', ['SAMS', 'MaskVoting', 'DenseCRF', 'ArgmaxSeeder']
)
def test_every_seeder(folders, seeder):
    images = ['--images', folders / 'images'] if seeder == 'DenseCRF' else []
    needs = seeder in ('SAMS', 'MaskVoting')
    assert run(folders, '--seeder', seeder, *images, masks=needs) == 0
    seed = read_label_png(folders / 'out' / 'a.png')
    assert set(np.unique(seed)) == {0, 2, 5}


def test_list_and_options(folders, messages):
    more = ['--list', folders / 'list.txt', '--seeder-options', 'alpha=0.0']
    assert run(folders, *more, *score(folders)) == 0
    made = sorted(path.name for path in (folders / 'out').glob('*.png'))
    assert made == ['a.png', 'b.png']
    assert (read_label_png(folders / 'out' / 'a.png') == 0).all()
    assert "{'alpha': 0.0}" in messages.text and '2 images' in messages.text


def test_resumes_and_mends_half_files(folders):
    assert run(folders) == 0
    out = folders / 'out'
    before = {p.name: p.stat().st_mtime_ns for p in out.glob('*.png')}
    (out / 'b.png').write_bytes(b'half')
    assert run(folders) == 0
    after = {p.name: p.stat().st_mtime_ns for p in out.glob('*.png')}
    assert before['a.png'] == after['a.png']
    assert before['b.png'] != after['b.png']
    assert read_label_png(out / 'b.png').max() == 5
    with pytest.raises(UserInputError, match='seeds of other settings'):
        run(folders, '--seeder-options', 'alpha=3')
    assert json.loads((out / tool.SETTINGS_FILE).read_text())['options'] == {}


def test_a_failing_image_is_listed(folders, messages):
    (folders / 'masks' / 'b.json').unlink()
    assert run(folders, *score(folders)) == 1
    assert 'b failed: UserInputError' in messages.text
    assert '2 of 3 seeds' in messages.text and 'of 2 images' in messages.text
    assert not (folders / 'out' / 'b.png').exists()


@pytest.mark.parametrize(
    ('more', 'masks', 'match'),
    [
        ([], False, 'needs MASK_DIR'),
        (['--seeder', 'DenseCRF'], True, 'Add --images'),
        (['--ground-truth', 'x'], True, 'needs both'),
        (['--seeder-options', 'beta=1'], True, 'do not fit SAMS'),
    ],
)
def test_checks(folders, more, masks, match):
    with pytest.raises(UserInputError, match=match):
        run(folders, *more, masks=masks)


def test_no_cams(folders):
    for path in (folders / 'cams').iterdir():
        path.unlink()
    with pytest.raises(UserInputError, match='Expected CAM files'):
        run(folders)
