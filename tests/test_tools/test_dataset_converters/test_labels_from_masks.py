# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Labels from masks: on request only, and it is said."""

import importlib.util
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmfmwsss.datasets import get_class_prompts, read_image_labels
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png

PATH = (
    Path(__file__).parents[3] / 'tools/dataset_converters/labels_from_masks.py'
)
SPEC = importlib.util.spec_from_file_location('labels_from_masks', PATH)
tool = sys.modules['labels_from_masks'] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


@pytest.fixture
def masks(tmp_path):
    for name, values in {
        'a': [0, 13, 255],
        'b c': [0, 80, 11, 1],
        'd': [0, 255],
    }.items():
        labels = np.repeat(np.uint8([values]), 2, axis=0)
        write_palette_png(tmp_path / 'masks' / f'{name}.png', labels)
    return tmp_path


def run(root, *arguments):
    return tool.main(
        [
            str(root / 'masks'),
            '--classes=coco14',
            f'--out={root / "labels.txt"}',
            *arguments,
        ]
    )


def test_labels_and_warning(masks, caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        assert run(masks) == 0
    finally:
        logger.removeHandler(caplog.handler)
    (warning,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert 'ground-truth masks' in warning.getMessage()
    classes = get_class_prompts('coco14').classes
    assert read_image_labels(masks / 'labels.txt', classes) == {
        'a': ('parking meter',),
        'b c': ('person', 'fire hydrant', 'toothbrush'),
        'd': (),
    }


def test_list(masks):
    (masks / 'list.txt').write_text('a\n')
    assert run(masks, f'--list={masks / "list.txt"}', '--workers=2') == 0
    assert (masks / 'labels.txt').read_text() == 'a\tparking meter\n'


def test_wrong_masks(masks):
    write_palette_png(masks / 'masks' / 'e.png', np.full((2, 2), 81))
    assert run(masks) == 1
    assert not (masks / 'labels.txt').exists()
    with pytest.raises(UserInputError, match='found none'):
        tool.main([str(masks / 'none'), '--classes=voc12', '--out=x.txt'])
