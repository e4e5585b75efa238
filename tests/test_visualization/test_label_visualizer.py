# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures of a test run, by mmseg's hook."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample
from PIL import Image

from mmfmwsss.visualization import NamedLabelVisualizer, paint_named_labels
from mmfmwsss.visualization.label_visualizer import beside

META = dict(classes=('background', 'cat'), palette=[(0, 0, 0), (250, 0, 0)])
IMAGE = np.full((60, 480, 3), 90, np.uint8)
LABELS = np.zeros((60, 480), np.uint8)
LABELS[:, 100:] = 1


def sample_of(path: Path, **maps: np.ndarray) -> SegDataSample:
    fields = {
        key: PixelData(data=torch.from_numpy(labels)[None])
        for key, labels in maps.items()
    }
    sample = SegDataSample()
    sample.set_data(fields)
    sample.set_metainfo(dict(img_path=str(path), image_name='kitchen/a'))
    return sample


@pytest.fixture
def visualizer(
    tmp_path: Path, request: pytest.FixtureRequest
) -> NamedLabelVisualizer:
    made = VISUALIZERS.build(
        dict(
            type='NamedLabelVisualizer',
            name=request.node.name,
            show_dir=str(tmp_path / 'shown'),
        )
    )
    made.dataset_meta = META
    return made


def test_the_hook_of_mmseg_names_files_after_images(
    visualizer: NamedLabelVisualizer, tmp_path: Path
) -> None:
    path = tmp_path / 'a.png'
    Image.fromarray(IMAGE).save(path)
    hook = SegVisualizationHook(draw=True, interval=1)
    assert hook._visualizer is Visualizer.get_current_instance() is visualizer
    sample = sample_of(path, pred_sem_seg=LABELS)
    hook.after_test_iter(SimpleNamespace(iter=0), 0, {}, [sample])
    files = [p for p in (tmp_path / 'shown').rglob('*') if p.is_file()]
    assert files == [tmp_path / 'shown' / 'kitchen' / 'a.png']
    expected = paint_named_labels(
        IMAGE, LABELS, META['classes'], META['palette'], 0.5
    )
    np.testing.assert_array_equal(np.asarray(Image.open(files[0])), expected)


def test_ground_truth_lies_to_the_left(
    visualizer: NamedLabelVisualizer, tmp_path: Path
) -> None:
    empty = np.zeros_like(LABELS)
    sample = sample_of(tmp_path, gt_sem_seg=empty, pred_sem_seg=LABELS)
    visualizer.add_datasample('a', IMAGE, sample)
    drawn = visualizer.get_image()
    assert drawn.shape[1] == 2 * 480
    red = drawn[24:84, :, 0].astype(int) - drawn[24:84, :, 1]
    assert (red[:, :480] < 5).all() and (red[30, 600:700] > 50).all()
    # mmseg's inferencer asks for the prediction alone
    visualizer.show_dir = None
    visualizer.add_datasample('a', IMAGE, sample, draw_gt=False)
    assert visualizer.get_image().shape == IMAGE.shape
    visualizer.add_datasample(
        'a', IMAGE, sample, draw_gt=False, with_labels=False
    )
    assert visualizer.get_image().shape == IMAGE.shape


def test_seeds_are_painted_where_there_is_no_prediction(
    visualizer: NamedLabelVisualizer, tmp_path: Path
) -> None:
    sample = sample_of(tmp_path, fine_seed=LABELS, coarse_seed=LABELS)
    file = tmp_path / 'b.png'
    visualizer.add_datasample('a', IMAGE, sample, out_file=file)
    assert Image.open(file).size[0] == 960
    visualizer.add_datasample('a', IMAGE, SegDataSample(), out_file=file)
    np.testing.assert_array_equal(visualizer.get_image(), IMAGE)


def test_a_label_map_of_another_size_is_followed(
    visualizer: NamedLabelVisualizer, tmp_path: Path
) -> None:
    sample = sample_of(tmp_path, pred_sem_seg=LABELS.repeat(2, 0).repeat(2, 1))
    visualizer.add_datasample('a', IMAGE, sample, with_labels=False)
    assert visualizer.get_image().shape == (120, 960, 3)


def test_lower_pictures_end_in_white() -> None:
    one, other = np.zeros((10, 4, 3), 'u1'), np.zeros((6, 5, 3), 'u1')
    both = beside([one, other], ['', ''])
    assert both.shape == (34, 9, 3)
    assert (both[24:30] == 0).all() and (both[30:, 4:] == 255).all()
    np.testing.assert_array_equal(beside([one], ['x']), one)
