# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CAM folder in, seeds and a score out."""

import importlib.util
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from PIL import Image
from PIL.PngImagePlugin import PngInfo

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
    assert '1 of 3 images failed' in messages.text
    assert 'b.json, but it is not there' in messages.text
    assert '2 of 3 images done' in messages.text
    assert 'of 2 images' in messages.text
    assert not (folders / 'out' / 'b.png').exists()


@pytest.mark.parametrize(
    ('more', 'masks', 'match'),
    [
        ([], False, 'needs MASK_DIR'),
        (['--seeder', 'DenseCRF'], True, 'Add --images'),
        (['--ground-truth', 'x'], True, 'needs both'),
        (['--seeder-options', 'beta=1'], True, 'do not fit SAMS'),
        (['--seeder-options', 'alpha=x'], True, 'Expected a number .* alpha'),
        (['--device', 'meat'], True, '--device meat cannot be used'),
        (['--device', 'meta', '--workers', 2], True, 'is for the CPU'),
        (['--ground-truth', 'x', '--num-classes', 1], True, r'in 2\.\.255'),
        (['--list', 'none.txt'], True, r'none\.txt'),
    ],
)
def test_checks(folders, more, masks, match):
    with pytest.raises(UserInputError, match=match):
        run(folders, *more, masks=masks)


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path('harmed'),)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-50])


def save(content):
    return lambda path: np.save(path, content, allow_pickle=True)


@pytest.mark.parametrize(
    ('file', 'damage', 'expected'),
    [
        ('cams/b.npy', cut_off, 'b.npy safely'),
        ('cams/b.npy', lambda path: path.write_bytes(b''), 'b.npy safely'),
        (
            'cams/b.npy',
            save({'keys': [1], 'attn_highres': Harmful()}),
            'which is not allowed',
        ),
        (
            'cams/b.npy',
            save({4: np.zeros((10, 15))}),
            'Choose another --format',
        ),
        ('masks/b.json', Path.unlink, 'b.json, but it is not there'),
        ('masks/b.json', cut_off, 'b.json is damaged'),
        ('images/b.png', cut_off, 'a complete picture in .*b.png'),
        ('images/b.png', Path.unlink, 'Expected a picture .*b.*, got none'),
        (
            'images/b.png',
            Image.new('RGB', (9, 9)).save,
            'of the size of the score maps',
        ),
        ('truth/b.png', Path.unlink, 'Expected a PNG label map at .*b.png'),
        (
            'truth/b.png',
            lambda path: write_palette_png(path, np.zeros((10, 10), int)),
            r'of the size of the seed, \(20, 30\)',
        ),
        (
            'truth/b.png',
            lambda path: write_palette_png(path, np.full((20, 30), 9)),
            'below --num-classes 6 in .*b.png, got 9',
        ),
    ],
)
def test_broken_input_is_named_and_the_rest_done(
    folders, file, damage, expected, messages, monkeypatch
):
    monkeypatch.chdir(folders)
    damage(folders / file)
    images = ['--images', folders / 'images'] if 'images' in file else []
    assert run(folders, *score(folders), *images) == 1
    listed = messages.text.partition('1 of 3 images failed')[2]
    assert re.search(expected, listed.replace('\n', ' '))
    assert re.search(r'\n  .*\bb\b', listed)
    assert 'of 2 images' in messages.text
    assert not (folders / 'harmed').exists()


def test_a_label_that_the_data_set_does_not_have(folders, messages):
    more = ['--ground-truth', folders / 'truth', '--num-classes', 5]
    assert run(folders, *more) == 1
    assert 'below --num-classes 5 in the seed, got 5' in messages.text


def test_a_damaged_settings_file(folders):
    assert run(folders) == 0
    (folders / 'out' / tool.SETTINGS_FILE).write_text('{')
    with pytest.raises(UserInputError, match='seeds of other settings'):
        run(folders)


@pytest.mark.slow
def test_on_the_command_line_with_processes(folders):
    # what is left of a write that was cut off
    (folders / 'cams' / '.d.x.npy').write_bytes(b'half')
    command = [sys.executable, PATH, folders / 'cams', folders / 'masks']
    command += ['--format', 'clip_es', '--workers', '2']
    command += ['--out', folders / 'out', *score(folders)]
    result = subprocess.run(
        [str(part) for part in command],
        env=os.environ | dict(PYTHONPATH=str(PATH.parents[1])),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    assert 'mIoU 100.00 of 3 images' in result.stdout + result.stderr


FORMATS = dict(
    irn=lambda low, high: {'keys': [4, 1], 'cam': low, 'high_res': high},
    npy=lambda low, high: {4: high[0], 1: high[1]},
    clip_es=lambda low, high: {
        'keys': np.array([4, 1]),
        'attn_highres': high.astype(np.float16),
    },
)


@pytest.mark.parametrize('cam_format', [*FORMATS, 'png'])
def test_all_formats_give_the_same_seed(folders, cam_format):
    shutil.rmtree(folders / 'cams')
    (folders / 'cams').mkdir()
    truth = read_label_png(folders / 'truth' / 'a.png')
    high = np.stack([truth == 5, truth == 2]).astype(np.float32)
    if cam_format == 'png':
        write_palette_png(folders / 'cams' / 'a.png', truth)
    else:
        content = FORMATS[cam_format](high[:, ::4, ::4], high)
        np.save(folders / 'cams' / 'a.npy', content, allow_pickle=True)
    out = ['--out', str(folders / 'out'), '--format', cam_format]
    arguments = [str(folders / 'cams'), str(folders / 'masks'), *out]
    assert tool.main(arguments) == 0
    seed = read_label_png(folders / 'out' / 'a.png')
    np.testing.assert_array_equal(seed, truth)


def test_no_cams(folders):
    for path in (folders / 'cams').iterdir():
        path.unlink()
    with pytest.raises(UserInputError, match='Expected CAM files'):
        run(folders)


def swapped_cams(folders):
    content = np.load(folders / 'cams' / 'b.npy', allow_pickle=True).item()
    content['keys'] = content['keys'][::-1].copy()
    np.save(folders / 'cams' / 'b.npy', content, allow_pickle=True)


def swapped_masks(folders):
    masks = SAMMasks.load(folders / 'masks' / 'b.json')
    masks.masks[0] = False
    masks.save(folders / 'masks' / 'b.json')


def swapped_picture(folders):
    Image.new('RGB', (30, 20)).save(folders / 'images' / 'b.png')


def edited_seed(folders):
    with Image.open(folders / 'out' / 'b.png') as picture:
        picture.load()
        notes = PngInfo()
        for key, text in picture.text.items():
            notes.add_text(key, text)
        picture.putpixel((0, 0), 5)
        picture.save(folders / 'out' / 'b.png', pnginfo=notes)


def seed_of_an_earlier_release(folders):
    path = folders / 'out' / 'b.png'
    write_palette_png(path, np.zeros((20, 30), np.uint8))


@pytest.mark.parametrize(
    'change',
    [
        swapped_cams,
        swapped_masks,
        swapped_picture,
        edited_seed,
        seed_of_an_earlier_release,
    ],
)
def test_what_has_changed_is_made_and_scored_again(folders, messages, change):
    more = ['--images', folders / 'images', *score(folders)]
    assert run(folders, *more) == 0
    out = folders / 'out'
    before = {p.name: p.stat().st_mtime_ns for p in out.glob('*.png')}
    change(folders)
    messages.clear()
    assert run(folders, *more) == 0
    after = {p.name: p.stat().st_mtime_ns for p in out.glob('*.png')}
    assert [n for n in after if after[n] != before[n]] == ['b.png']
    text = messages.text
    shutil.rmtree(out)
    messages.clear()
    assert run(folders, *more) == 0
    (found,), (fresh,) = (
        re.findall(r'mIoU ([\d.]+)', t) for t in (text, messages.text)
    )
    assert found == fresh


def test_a_largest_label_is_found_in_no_time(folders):
    assert run(folders) == 0
    seed = np.zeros((2000, 2000), np.uint8)
    write_palette_png(folders / 'truth' / 'big.png', seed)
    args = tool.parse_args(
        [str(folders / 'cams'), '--format', 'npy', '--out', str(folders)]
        + [str(value) for value in score(folders)]
    )
    started = time.process_time()
    tool.score('big', seed, args)
    assert time.process_time() - started < 0.5  # 8 million values


@pytest.fixture
def crf_cams(folders):
    """CAMs as PSA writes them after a CRF: key 0 is the background."""
    shutil.rmtree(folders / 'cams')
    (folders / 'cams').mkdir()
    for name, number in (('a', 4), ('b', 1), ('c', 4)):
        shown = np.full((10, 15), 0.1, np.float32)
        shown[2:6, 2:6] = 0.9
        content = {0: 1 - shown, number + 1: shown}
        np.save(folders / 'cams' / f'{name}.npy', content, allow_pickle=True)
    return folders


def run_crf(folders, *more):
    arguments = [str(folders / 'cams'), '--format', 'npy']
    arguments += ['--seeder', 'ArgmaxSeeder', '--out', str(folders / 'out')]
    return tool.main([*arguments, *more])


def test_a_background_among_the_keys_is_asked_for(crf_cams):
    with pytest.raises(UserInputError, match='--keys labels'):
        run_crf(crf_cams)
    assert not list((crf_cams / 'out').glob('*.png'))
    assert run_crf(crf_cams, '--keys', 'labels') == 0
    found = [
        np.unique(read_label_png(crf_cams / 'out' / f'{name}.png')).tolist()
        for name in 'abc'
    ]
    assert found == [[0, 5], [0, 2], [0, 5]]  # not shifted
    with pytest.raises(UserInputError, match='seeds of other settings'):
        run_crf(crf_cams, '--keys', 'classes')


def test_a_record_of_an_earlier_release_goes_on(folders):
    assert run(folders) == 0
    path = folders / 'out' / tool.SETTINGS_FILE
    settings = json.loads(path.read_text())
    assert settings.pop('keys') == 'classes'
    path.write_text(json.dumps(settings))
    assert run(folders) == 0


def test_a_class_that_no_label_map_holds_is_refused(folders, messages):
    content = {299: np.ones((10, 15), np.float32)}
    shutil.rmtree(folders / 'cams')
    (folders / 'cams').mkdir()
    np.save(folders / 'cams' / 'a.npy', content, allow_pickle=True)
    assert run_crf(folders) == 1
    assert re.search('254.*299', messages.text, re.S)
