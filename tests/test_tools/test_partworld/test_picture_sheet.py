# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The sheet of pictures at the end of the pipeline."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils.photos import read_rgb

PATH = Path(__file__).parents[3] / 'tools' / 'partworld' / 'picture_sheet.py'
SPEC = importlib.util.spec_from_file_location('picture_sheet_tool', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)

# As partworld_seed.py scores them: the one of the network first.
FIELDS = ('fine_seed', 'coarse_seed', 'fine_seed_caa', 'cam', 'cam_caa')
PALETTE = [[0, 0, 0], *([40 * c, 9, 250 - 40 * c] for c in range(1, 6))]


def sample_of(size: tuple[int, int]) -> SegDataSample:
    ones = torch.ones(3)
    sample = SegDataSample(
        image_labels=torch.tensor([False, True]),
        sam_masks=SAMMasks(
            torch.ones(3, *size, dtype=torch.bool), torch.arange(3), ones, ones
        ),
        pred_sem_seg=PixelData(data=torch.full((1, *size), 5)),
    )
    sample.set_field(PixelData(data=torch.rand(1, *size)), 'fine_seed_cams')
    return sample


def test_a_row_has_a_picture_for_each_title(partworld_root: Path) -> None:
    """Whatever routes the run has written: of the seeds, coarse then fine."""
    path = sorted((partworld_root / 'JPEGImages').glob('*.jpg'))[0]
    image = read_rgb(path)
    sample = sample_of(image.shape[:2])
    shown = [SimpleNamespace(field=field) for field in FIELDS]
    seeds = SimpleNamespace(
        images=SimpleNamespace(
            paths=[path], classes=['background', 'a', 'b'], palette=PALETTE
        ),
        shown=shown,
        main=shown[0],
        predict=lambda index: sample,
        label_map=lambda result, index, sample: np.full(
            image.shape[:2], 1 + FIELDS.index(result.field), np.uint8
        ),
    )
    seeds.images.palette += [[0, 0, 0]] * 20
    network = SimpleNamespace(predict=lambda packed: sample)
    pictures, text = tool.draw_row(seeds, network, lambda found: found, 0)
    assert len(pictures) == len(tool.TITLES)
    assert text == f'{path.stem}: b'
    for title, label in (('coarse seed', 2), ('fine seed', 1)):
        picture = pictures[tool.TITLES.index(title)]
        expected = tool.paint_labels(
            image, np.full(image.shape[:2], label, np.uint8), PALETTE
        )
        assert np.array_equal(picture, expected)
