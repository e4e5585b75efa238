# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Data sets and models are built in a notebook, where there is no runner."""

import subprocess
import sys
from pathlib import Path

from mmengine.registry import DefaultScope

from mmfmwsss.compat import set_default_scope

ROOT = Path(__file__).parents[2]
NOTEBOOK = """
import sys
from PIL import Image
import mmfmwsss
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS, MODELS
Image.new('RGB', (40, 30)).save(sys.argv[1] + '/a.jpg')
loader = [dict(type='LoadImageStrict'), dict(type='PackWSSSInputs')]
names = dict(classes=['cat'], background=['wall'])
data = DATASETS.build(dict(type='ImageLabelDataset', data_root=sys.argv[1],
    image_dir='.', test_mode=True, class_prompts=names, pipeline=loader))
assert data[0]['inputs'].shape == (3, 30, 40)
assert DefaultScope.get_current_instance().scope_name == 'mmseg'
MODELS.build(dict(type='SAMMaskGenerator', output_dir=sys.argv[1],
    source=dict(type='FelzenszwalbSuperpixels'),
    data_preprocessor=dict(type='SegDataPreProcessor')))
"""


def test_a_notebook_builds_data_sets_and_models(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, '-c', NOTEBOOK, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_scope_that_is_set_stays() -> None:
    with DefaultScope.overwrite_default_scope('mmdet'):
        set_default_scope()
        assert DefaultScope.get_current_instance().scope_name == 'mmdet'
