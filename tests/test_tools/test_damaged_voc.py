# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""VOC with damaged files through tools/test.py: listed once, at the end."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

ROOT = Path(__file__).parents[2]
H, W = 40, 60
NAMES = ['good', 'empty', 'a space', 'cut', 'grey', 'rotated', 'label21']

CONFIG = """
_base_ = [
    '{root}/configs/_base_/models/deeplabv3plus_r18.py',
    '{root}/configs/_base_/default_runtime.py',
]
work_dir = '{work}/run'
model = dict(decode_head=dict(num_classes=21))
test_dataloader = dict(
    batch_size=1, num_workers=0, persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOC12SegDataset', data_root='{voc}', test_mode=True,
        image_list='ImageSets/Segmentation/{split}.txt',
        ground_truth_dir=None,
        pipeline=[dict(type='LoadImageStrict'), dict(type='PackWSSSInputs')]))
test_cfg = dict()
test_evaluator = {metric}
"""


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / 'VOC2012'
    (root / 'JPEGImages').mkdir(parents=True)
    (root / 'ImageSets' / 'Segmentation').mkdir(parents=True)
    for split, names in (('val', NAMES), ('test', ['good', 'grey'])):
        path = root / f'ImageSets/Segmentation/{split}.txt'
        path.write_text(''.join(f'{name}\n' for name in names))
    rng = np.random.default_rng(0)
    for name in NAMES:
        photo = Image.fromarray(rng.integers(0, 256, (H, W, 3), np.uint8))
        exif = Image.Exif()
        if name == 'rotated':
            exif[0x0112] = 6
        photo = photo.convert('L') if name == 'grey' else photo
        photo.save(root / f'JPEGImages/{name}.jpg', exif=exif)
        # a rotated photo's mask is of what one sees
        size = (W, H) if name == 'rotated' else (H, W)
        labels = np.full(size, 21 if name == 'label21' else 3, np.uint8)
        write_palette_png(root / f'SegmentationClassAug/{name}.png', labels)
    photos = root / 'JPEGImages'
    (photos / 'empty.jpg').write_bytes(b'')
    (photos / 'cut.jpg').write_bytes((photos / 'cut.jpg').read_bytes()[:-90])
    return root


def run(voc, tmp_path, split, metric):
    config = tmp_path / 'config.py'
    config.write_text(
        CONFIG.format(
            root=ROOT, work=tmp_path, voc=voc, split=split, metric=metric
        )
    )
    result = subprocess.run(
        [sys.executable, 'tools/test.py', str(config)],
        cwd=ROOT,
        env=os.environ | dict(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.slow
def test_failures_are_listed_once_at_the_end(voc, tmp_path):
    metric = dict(
        type='SeedMetric',
        prefix='val',
        output_dir=str(tmp_path / 'out'),
        ground_truth_dir=str(voc / 'SegmentationClassAug'),
        split='VOC 2012 val',
    )
    code, output = run(voc, tmp_path, 'val', metric)
    assert code == 1, output[-2000:]
    assert 'Traceback' not in output
    assert '2 of 7 images failed and have no result' in output
    assert '1 of 7 images are not scored' in output
    for name in ('empty.jpg', 'cut.jpg', 'label21.png'):
        assert len(re.findall(re.escape(name), output)) == 1
    assert 'on VOC 2012 val, 4 images' in output
    assert '21 labels with background' in output
    written = {path.stem for path in (tmp_path / 'out').glob('*.png')}
    assert written == {*NAMES} - {'empty', 'cut'}
    rotated = read_label_png(tmp_path / 'out' / 'rotated.png')
    assert rotated.shape == (W, H)


@pytest.mark.slow
def test_archive_of_a_test_split_without_masks(voc, tmp_path):
    for path in (voc / 'SegmentationClassAug').iterdir():
        path.unlink()
    metric = dict(type='VOCTestArchive', output_dir=str(tmp_path / 'server'))
    code, output = run(voc, tmp_path, 'test', metric)
    assert code == 0, output[-2000:]
    with tarfile.open(tmp_path / 'server' / 'results.tar.gz') as archive:
        assert archive.getnames() == [
            f'results/VOC2012/Segmentation/comp6_test_cls/{name}.png'
            for name in ('good', 'grey')
        ]
