# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The archive for VOC's server is read back."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils.palette_png import voc_palette

FOLDER = 'results/VOC2012/Segmentation'


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    found = []
    for name in ('2008_000006', '2008_000011', '2008_000012'):
        sample = SegDataSample(metainfo={'img_path': f'/x/{name}.jpg'})
        labels = torch.from_numpy(rng.integers(0, 21, (1, 6, 9)))
        sample.pred_sem_seg = PixelData(data=labels)
        found.append(sample)
    return found


def _run(root, samples, **kwargs):
    metric = METRICS.build(
        {'type': 'VOCTestArchive', 'output_dir': str(root), **kwargs}
    )
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {
        'classes': ['background'] + [f'c{i}' for i in range(20)],
        'palette': voc_palette(21),
    }
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def _read(path):
    """Contents by name."""
    if path.suffix == '.zip':
        with zipfile.ZipFile(path) as archive:
            return {n: archive.read(n) for n in archive.namelist()}
    with tarfile.open(path) as archive:
        return {
            m.name: archive.extractfile(m).read() for m in archive.getmembers()
        }


@pytest.mark.parametrize('name', ['results.tar.gz', 'r.tgz', 'r.zip'])
def test_archive_read_back(tmp_path, samples, name):
    # what an earlier run left behind is not packed
    old = tmp_path / FOLDER / 'comp6_test_cls' / 'old.png'
    old.parent.mkdir(parents=True)
    old.touch()
    metrics = _run(tmp_path, samples, archive=name)
    assert metrics == {'pred_sem_seg/images': 3, 'pred_sem_seg/failed': 0}
    content = _read(tmp_path / name)
    assert len(content) == 3
    for sample in samples:
        stem = sample.img_path[3:-4]
        data = content[f'{FOLDER}/comp6_test_cls/{stem}.png']
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.mode == 'P'
            assert picture.getpalette()[3:9] == [128, 0, 0, 0, 128, 0]
            assert (
                np.array(picture) == sample.pred_sem_seg.data[0].numpy()
            ).all()


def test_competition_5(tmp_path, samples):
    _run(tmp_path, samples, competition='comp5_test_cls')
    names = _read(tmp_path / 'results.tar.gz')
    assert all(n.startswith(f'{FOLDER}/comp5_test_cls/') for n in names)


def test_no_archive_while_pictures_fail(tmp_path, samples):
    samples[1].set_metainfo({'failure': 'cut off'})
    assert _run(tmp_path, samples)['pred_sem_seg/failed'] == 1
    assert not (tmp_path / 'results.tar.gz').exists()
    assert len(list((tmp_path / FOLDER).rglob('*.png'))) == 2


def test_wrong_name():
    with pytest.raises(ValueError, match=r"'results\.rar'"):
        METRICS.build(
            {
                'type': 'VOCTestArchive',
                'output_dir': 'x',
                'archive': 'results.rar',
            }
        )
