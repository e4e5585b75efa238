# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The photo of a sample: as it came, or as the loader reads it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.structures import SegDataSample
from PIL import Image

from mmfmwsss.models.segmentors.original_image import load_rgb
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.photos import read_rgb


@pytest.mark.parametrize('orientation', [1, 6])
def test_a_file_is_read_as_by_the_loader(
    orientation: int, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 7, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation  # 6: turn to the right to see it
    path = str(tmp_path / 'a.png')
    Image.fromarray(pixels).save(path, exif=exif)
    found = load_rgb(SegDataSample(metainfo=dict(img_path=path)))
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found, read_rgb(path))
    upright = pixels if orientation == 1 else np.rot90(pixels, -1)
    np.testing.assert_array_equal(found, upright)


def test_an_array_goes_before_a_path() -> None:
    sample = SegDataSample(metainfo=dict(img_path='nowhere.jpg'))
    sample.original_image = torch.arange(24, dtype=torch.uint8).view(2, 4, 3)
    assert load_rgb(sample) is sample.original_image


@pytest.mark.parametrize('meta', [{}, dict(img_path=None)], ids=str)
def test_neither(meta: dict[str, None]) -> None:
    with pytest.raises(UserInputError, match='meta_keys'):
        load_rgb(SegDataSample(metainfo=meta))
