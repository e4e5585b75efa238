# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SBD's .mat files and VOC's masks to one folder and one list."""

import importlib.util
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

savemat = pytest.importorskip('scipy.io').savemat

PATH = Path(__file__).parents[3] / 'tools/dataset_converters/voc_aug.py'
SPEC = importlib.util.spec_from_file_location('voc_aug', PATH)
tool = sys.modules['voc_aug'] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)  # in sys.modules, for its worker processes

VOC = {'train': ['2007_a', '2007_b'], 'val': ['2007_v']}
SBD = ['2007_b', '2007_v', '2008_x', '2009_y']


def write_mat(path, labels):
    """As SBD's: a struct array GTcls with three fields."""
    kind = [(n, 'O') for n in ('Boundaries', 'Segmentation', 'Categories')]
    struct = np.empty((1, 1), dtype=kind)
    struct[0, 0] = (np.zeros((20, 1), object), labels, np.unique(labels))
    savemat(path, {'GTcls': struct}, do_compression=True)


@pytest.fixture
def roots(tmp_path):
    voc, sbd = tmp_path / 'VOC2012', tmp_path / 'dataset'
    (voc / 'ImageSets' / 'Segmentation').mkdir(parents=True)
    (sbd / 'cls').mkdir(parents=True)
    masks = {}
    for split, names in VOC.items():
        text = ''.join(f'{name}\n' for name in names)
        (voc / 'ImageSets' / 'Segmentation' / f'{split}.txt').write_text(text)
        for i, name in enumerate(names):
            masks[name] = np.full((5, 7), 3 + i, np.uint8)
            masks[name][0] = 255
            folder = voc / 'SegmentationClass'
            write_palette_png(folder / f'{name}.png', masks[name])
    for i, name in enumerate(SBD):
        labels = np.full((5, 7), 15 + i, np.uint8)
        labels[1:3] = 0
        write_mat(sbd / 'cls' / f'{name}.mat', labels)
        masks.setdefault(name, labels)  # VOC's own is kept
    return voc, sbd, masks


def train_aug(voc):
    path = voc / 'ImageSets' / 'Segmentation' / 'train_aug.txt'
    return path.read_text().split()


@pytest.mark.parametrize('workers', ['1', '2'])
def test_masks_and_list(roots, workers):
    voc, sbd, masks = roots
    assert tool.main([str(voc), str(sbd), '--workers', workers]) == 0
    assert train_aug(voc) == ['2007_a', '2007_b', '2008_x', '2009_y']
    out = voc / 'SegmentationClassAug'
    assert sorted(p.stem for p in out.iterdir()) == sorted(masks)
    for name, expected in masks.items():
        assert (read_label_png(out / f'{name}.png') == expected).all()
        with Image.open(out / f'{name}.png') as picture:
            assert picture.mode == 'P'
            assert picture.getpalette()[3:6] == [128, 0, 0]


def test_second_run_makes_what_is_missing_or_damaged(roots):
    voc, sbd, masks = roots
    tool.main([str(voc), str(sbd)])
    out = voc / 'SegmentationClassAug'
    untouched = (out / '2007_a.png').stat().st_mtime_ns
    (out / '2008_x.png').unlink()
    (out / '2009_y.png').write_bytes(b'\x89PNG cut')
    assert tool.main([str(voc), str(sbd)]) == 0
    assert (out / '2007_a.png').stat().st_mtime_ns == untouched
    for name in ('2008_x', '2009_y'):
        assert (read_label_png(out / f'{name}.png') == masks[name]).all()


def test_damaged_mat_is_listed_and_no_list_is_written(roots, caplog):
    voc, sbd, _ = roots
    (sbd / 'cls' / '2008_x.mat').write_bytes(b'cut off')
    write_mat(sbd / 'cls' / '2009_y.mat', np.full((5, 7), 21, np.uint8))
    assert tool.main([str(voc), str(sbd)]) == 1
    assert not (voc / 'ImageSets/Segmentation/train_aug.txt').exists()
    assert (voc / 'SegmentationClassAug' / '2007_b.png').is_file()


def test_mat_of_another_kind(tmp_path):
    savemat(tmp_path / 'a.mat', {'GTinst': 1})
    with pytest.raises(UserInputError, match='GTcls'):
        tool.read_mat(tmp_path / 'a.mat')
    write_mat(tmp_path / 'b.mat', np.full((5, 7), 21, np.uint8))
    with pytest.raises(UserInputError, match=r'0\.\.20 .*got up to 21'):
        tool.read_mat(tmp_path / 'b.mat')


def test_lists_only(roots):
    voc, sbd, _ = roots
    assert tool.main([str(voc), str(sbd), '--lists-only']) == 0
    assert len(train_aug(voc)) == 4
    assert not (voc / 'SegmentationClassAug').exists()


def test_incomplete_archives(roots, tmp_path):
    voc, sbd, _ = roots
    with pytest.raises(UserInputError, match='found none'):
        tool.main([str(voc), str(tmp_path)])
    (voc / 'SegmentationClass' / '2007_v.png').unlink()
    with pytest.raises(UserInputError, match=r'3 masks .* 1 are missing'):
        tool.main([str(voc), str(sbd)])


def test_mat_that_unpacks_without_end(tmp_path):
    packed = zlib.compress(bytes(2**26 + 1))
    savemat(tmp_path / 'a.mat', {'a': 1})
    head = (tmp_path / 'a.mat').read_bytes()[:128]
    element = struct.pack('<II', 15, len(packed)) + packed
    (tmp_path / 'a.mat').write_bytes(head + element)
    with pytest.raises(UserInputError, match=r'a\.mat.*unpacks to more than'):
        tool.read_mat(tmp_path / 'a.mat')
