# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""An image is called by its path below the image folder."""

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils.image_names import image_name_of


def test_names_of_records():
    assert image_name_of({'image_name': 'a/b', 'img_path': 'x/c.jpg'}) == 'a/b'
    assert image_name_of({'img_path': 'x/c.d.jpg'}) == 'c.d'
