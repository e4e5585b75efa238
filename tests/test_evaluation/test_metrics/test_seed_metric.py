# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds are written and scored as mmseg scores, and failures are listed."""

import logging
import re

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

META = {
    'classes': ('background', 'cat', 'dog'),
    'palette': [[0, 0, 0], [9, 8, 7], [1, 2, 3]],
}


@pytest.fixture
def case(tmp_path):
    rng = np.random.default_rng(0)
    samples = []
    for i in range(4):
        size = (6 + i, 9)
        truth = rng.choice([0, 1, 2, 255], size).astype(np.uint8)
        write_palette_png(tmp_path / 'Truth' / f'p{i}.png', truth)
        sample = SegDataSample(metainfo={'img_path': f'/x/p{i}.jpg'})
        labels = torch.from_numpy(rng.integers(0, 3, (1, *size), np.uint8))
        sample.fine_seed = PixelData(data=labels)
        sample.pred_sem_seg = PixelData(data=labels.long())
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(truth)[None])
        samples.append(sample)
    return tmp_path, samples


def _metric(root, **kwargs):
    config = {
        'type': 'SeedMetric',
        'prediction': 'fine_seed',
        'ground_truth_dir': str(root / 'Truth'),
        'split': 'PartWorld train',
        'protocol': 'single scale, SAMS alpha 0.6',
    }
    return METRICS.build({**config, **kwargs})


def _evaluate(metric, samples, meta=META):
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = meta
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


@pytest.fixture
def log():
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    handler = Keep()
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def test_same_score_as_mmseg(case, log):
    root, samples = case
    ours = _evaluate(_metric(root), samples)
    theirs = _evaluate(IoUMetric(), samples)
    assert ours['fine_seed/mIoU'] == pytest.approx(theirs['mIoU'], abs=0.006)
    assert ours['fine_seed/images'] == 4
    assert ours['fine_seed/failed'] == 0
    line = (
        'mIoU of fine_seed on PartWorld train, 4 images: '
        f'{ours["fine_seed/mIoU"]:.1f} (3 labels with background, scored '
        'against Truth, single scale, SAMS alpha 0.6)'
    )
    assert any(line in message for message in log)
    assert any('cat' in message for message in log)


def test_record_says_what_was_scored(case):
    root, samples = case
    metric = _metric(root)
    found = _evaluate(metric, samples)
    record = metric.record
    assert (record['split'], record['images']) == ('PartWorld train', 4)
    assert record['ground_truth_dir'] == str(root / 'Truth')
    assert list(record['classes']) == list(META['classes'])
    mean = np.mean([scores['IoU'] for scores in record['classes'].values()])
    assert abs(mean - found['fine_seed/mIoU']) < 0.01
    bare = _metric(root, ground_truth_dir=None)
    _evaluate(bare, samples)
    assert bare.record == {}


def test_seeds_are_written(case):
    root, samples = case
    _evaluate(_metric(root, output_dir=str(root / 'out')), samples)
    for i, sample in enumerate(samples):
        path = root / 'out' / f'p{i}.png'
        assert (read_label_png(path) == sample.fine_seed.data[0].numpy()).all()
    with Image.open(path) as picture:
        assert picture.mode == 'P'
        assert picture.getpalette()[:9] == [0, 0, 0, 9, 8, 7, 1, 2, 3]


def test_failures_are_counted_and_listed(case, log):
    root, samples = case
    expected = _evaluate(_metric(root), samples[:3])
    samples[3].set_metainfo({'failure': 'the file is cut off'})
    found = _evaluate(_metric(root, output_dir=str(root / 'out')), samples)
    assert found['fine_seed/mIoU'] == expected['fine_seed/mIoU']
    assert (found['fine_seed/images'], found['fine_seed/failed']) == (3, 1)
    assert not (root / 'out' / 'p3.png').exists()
    assert any(
        '1 of 4 images' in m and '/x/p3.jpg: the file is cut off' in m
        for m in log
    )


def test_all_failed_and_many(case, log):
    root, samples = case
    many = samples * 20
    for sample in many:
        sample.set_metainfo({'failure': 'gone'})
    found = _evaluate(_metric(root), many)
    assert found == {'fine_seed/images': 0, 'fine_seed/failed': 80}
    assert any('and 30 more' in message for message in log)


def test_without_ground_truth_there_is_no_score(case):
    root, samples = case
    found = _evaluate(
        _metric(root, ground_truth_dir=None, prefix='s'), samples
    )
    assert found == {'s/images': 4, 's/failed': 0}


def test_wrong_ground_truth_is_listed_and_the_rest_scored(case, log):
    root, samples = case
    expected = _evaluate(_metric(root), samples[:1])
    write_palette_png(root / 'Truth' / 'p1.png', np.full((7, 9), 21, np.uint8))
    write_palette_png(root / 'Truth' / 'p2.png', np.zeros((9, 8), np.uint8))
    (root / 'Truth' / 'p3.png').unlink()
    found = _evaluate(_metric(root, output_dir=str(root / 'out')), samples)
    assert found['fine_seed/mIoU'] == expected['fine_seed/mIoU']
    assert (found['fine_seed/images'], found['fine_seed/failed']) == (1, 3)
    assert len(list((root / 'out').glob('*.png'))) == 4  # nothing is lost
    (text,) = [message for message in log if 'not scored, for' in message]
    assert '3 of 4 images' in text
    assert re.search(r'0\.\.2 or .*p1\.png.*\[21\]', text)
    assert re.search(r'\(8, 9\).*p2\.png.*\(9, 8\)', text)
    assert re.search(r'p3\.png, but it is not there', text)


def test_no_folder_of_ground_truth(case):
    root, samples = case
    metric = _metric(root, ground_truth_dir=str(root / 'none'))
    with pytest.raises(UserInputError, match='Correct `ground_truth_dir`'):
        _evaluate(metric, samples)


def test_missing_field(case):
    root, samples = case
    with pytest.raises(ValueError, match="called 'coarse_seed'"):
        _evaluate(_metric(root, prediction='coarse_seed'), samples)


def test_classes_that_the_truth_never_shows_are_named(case, log):
    """By hand: half right in two classes, one class predicted for nothing."""
    root, _ = case
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    labels = np.array([[0, 2, 1, 0]], np.uint8)
    write_palette_png(root / 'Truth' / 'p0.png', truth)
    sample = SegDataSample(metainfo=dict(img_path='/x/p0.jpg'))
    sample.fine_seed = PixelData(data=torch.from_numpy(labels)[None])
    metric = _metric(root)
    found = _evaluate(metric, [sample])
    # 1/3 and 1/2, and 0 as in mmseg; the official code has the first two
    assert found['fine_seed/mIoU'] == round(100 * (1 / 3 + 1 / 2) / 3, 2)
    assert metric.record['never_in_truth'] == [META['classes'][2]]
    assert metric.record['mIoU_of_true_classes'] == 41.67
    text = '\n'.join(log)
    assert f'never in the ground truth: {META["classes"][2]}.' in text
    assert 'the official code counts, the mIoU is 41.7' in text
    assert '255' not in text


def test_masks_of_0_and_255_are_no_score(case, log):
    root, _ = case
    truth = np.array([[0, 0, 255, 255]], np.uint8)
    write_palette_png(root / 'Truth' / 'p0.png', truth)
    sample = SegDataSample(metainfo=dict(img_path='/x/p0.jpg'))
    labels = torch.tensor([[[0, 0, 1, 1]]])
    sample.fine_seed = PixelData(data=labels)
    _evaluate(_metric(root), [sample])
    text = '\n'.join(log)
    assert 'all background and 255 (50% of the pixels)' in text
    assert 'black-and-white masks of 0 and 255' in text


@pytest.mark.parametrize('bad', [3, 300, -1, 0.5, float('nan')])
def test_predictions_of_no_class_are_refused(case, bad):
    root, samples = case
    data = samples[0].fine_seed.data.float()
    data[0, 0, 0] = bad
    samples[0].fine_seed = PixelData(data=data)
    with pytest.raises(UserInputError, match=f'0..2 or 255.*has {bad}'):
        _evaluate(_metric(root), samples)


def test_a_giant_truth_is_one_bad_file(case, log, monkeypatch):
    root, samples = case
    expected = _evaluate(_metric(root), samples[1:])
    sizes = [sample.fine_seed.data.numel() for sample in samples]
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', max(sizes))
    write_palette_png(root / 'Truth' / 'p0.png', np.zeros((99, 99), np.uint8))
    found = _evaluate(_metric(root), samples)
    assert found['fine_seed/mIoU'] == expected['fine_seed/mIoU']
    assert found['fine_seed/failed'] == 1
    assert any('p0.png' in m and '1 of 4 images' in m for m in log)


@pytest.mark.parametrize(
    ('meta', 'numbers'),
    [
        (dict(classes=('dog', 'background'), label_map={0: 1, 1: 255, 2: 0}),
         [1, 255, 0]),
        (dict(classes=('cat', 'dog'), reduce_zero_label=True), [255, 0, 1]),
        (dict(classes=('dog',), reduce_zero_label=True,
              label_map={0: 255, 1: 0}), [255, 255, 0]),
    ],
    ids=['subset', 'zero', 'both'],
)  # fmt: skip
def test_a_data_set_of_some_classes_scores_as_in_mmseg(case, meta, numbers):
    """The truth in the files keeps all labels; mmseg loads the renumbered."""
    root, samples = case
    table = np.arange(256)
    table[:3] = numbers
    for sample in samples:
        truth = table[sample.gt_sem_seg.data.numpy()]
        sample.gt_sem_seg = PixelData(data=torch.from_numpy(truth))
        labels = sample.pred_sem_seg.data % len(meta['classes'])
        sample.pred_sem_seg = PixelData(data=labels)
        sample.fine_seed = PixelData(data=labels)
    meta = dict(META, **meta)
    ours, theirs = (
        _evaluate(metric, samples, meta)
        for metric in (_metric(root), IoUMetric())
    )
    assert ours['fine_seed/mIoU'] == pytest.approx(theirs['mIoU'], abs=0.006)
    assert ours['fine_seed/failed'] == 0


def test_another_label_may_not_count(case):
    root, samples = case
    expected = _evaluate(_metric(root), samples)
    for path in (root / 'Truth').iterdir():
        truth = read_label_png(path)
        write_palette_png(path, np.where(truth == 255, 200, truth))
    assert _evaluate(_metric(root, ignore_index=200), samples) == expected
    assert _evaluate(_metric(root), samples)['fine_seed/failed'] == 4


def test_masks_of_a_longer_list_score_the_same(case, log):
    """0, 5 and 3 there are 0, 1 and 2 here; a 7 is of no class."""
    root, samples = case
    expected = _evaluate(_metric(root), samples[:3])
    for i in range(4):
        path = root / 'Truth' / f'p{i}.png'
        longer = np.arange(256)
        longer[[0, 1, 2]] = 0, 5, 3
        write_palette_png(path, longer[read_label_png(path)])
    write_palette_png(root / 'Truth' / 'p3.png', np.full((9, 9), 7))
    found = _evaluate(_metric(root, truth_numbers=[0, 5, 3]), samples)
    assert found['fine_seed/mIoU'] == expected['fine_seed/mIoU']
    assert (found['fine_seed/images'], found['fine_seed/failed']) == (3, 1)
    assert any(re.search(r'p3.*\[0, 5, 3\].*\[7\]', text) for text in log)
