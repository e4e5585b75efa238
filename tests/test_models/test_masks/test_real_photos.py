# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos of COCO, one of them grey-scale, where they are at hand.

``MMFMWSSS_COCO100`` names a folder with ``images``; by default it is looked
for beside the repository.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS, TRANSFORMS
from PIL import Image

from mmfmwsss.models.seeding import SAMS, DenseCRF
from mmfmwsss.structures import SAMMasks

ROOT = Path(__file__).parents[3]
BESIDE = ROOT.parent / 'shared' / 'data' / 'coco100'
PHOTOS = sorted(
    Path(os.environ.get('MMFMWSSS_COCO100', BESIDE)).glob('images/*.jpg')
)
TINY = Config.fromfile(ROOT / 'configs/fmwsss/partworld_sam_masks.py')
SOURCES = dict(
    superpixels=dict(type='FelzenszwalbSuperpixels'),
    tiny_sam=TINY.model.source,
)


def is_grey(path):
    with Image.open(path) as picture:
        return picture.mode == 'L'


@pytest.fixture(scope='module')
def photos():
    if not PHOTOS:
        pytest.skip('there are no photos')
    grey = [path for path in PHOTOS if is_grey(path)]
    return [*PHOTOS[:3], *grey[:1]]


@pytest.mark.slow
@pytest.mark.parametrize('source', SOURCES.values(), ids=SOURCES)
def test_masks_and_seeds(source, photos, tmp_path):
    model = MODELS.build(
        dict(
            type='SAMMaskGenerator',
            source=source,
            output_dir=str(tmp_path),
        )
    )
    pipeline = [
        TRANSFORMS.build(transform)
        for transform in TINY.test_dataloader.dataset.pipeline
    ]
    for path in photos:
        results: dict[str, Any]
        results = dict(img_path=str(path), seg_fields=[])
        for transform in pipeline:
            results = transform(results)
        image = results['inputs']
        batch = dict(inputs=[image], data_samples=[results['data_samples']])
        report = model.test_step(batch)[0].metainfo['sam_masks_report']
        assert report['status'] == 'done'
        masks = SAMMasks.load(tmp_path / f'{path.stem}.json')
        assert masks.size == tuple(image.shape[1:])
        assert report['level_counts'] == masks.level_counts()
        if source['type'] == 'FelzenszwalbSuperpixels':
            assert masks.masks.any(0).all()
        # the middle is active
        height, width = masks.size
        cam = torch.zeros(1, height, width)
        cam[:, height // 4 : -height // 4, width // 4 : -width // 4] = 1
        seed = SAMS()(cam, torch.tensor([6]), masks)
        assert set(seed.unique().tolist()) <= {0, 7}
        assert (seed == 7).any() or not len(masks)


@pytest.mark.slow
def test_dense_crf(photos):
    path = photos[-1]
    with Image.open(path) as picture:
        image = torch.from_numpy(np.array(picture.convert('RGB')))
    cam = torch.zeros(1, *image.shape[:2])
    cam[:, 100:200, 100:300] = 1
    crf = DenseCRF(backend='torch', iterations=2)
    seed = crf(cam, torch.tensor([6]), image=image)
    assert seed.unique().tolist() == [0, 7]
