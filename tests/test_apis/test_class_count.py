# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""`num_classes='auto'` becomes the number of labels."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmfmwsss.apis import fill_num_classes
from mmfmwsss.utils import UserInputError


def config(**kwargs: object) -> Config:
    heads = [dict(num_classes='auto'), dict(num_classes=7)]
    model = dict(decode_head=dict(num_classes='auto'), auxiliary_head=heads)
    return Config(dict(model=model, **kwargs))


def test_counts_the_background(tmp_path: Path) -> None:
    path = tmp_path / 'classes.yaml'
    path.write_text('classes: [cat, dog]\nbackground: [wall]\n')
    filled = config(class_prompts=str(path))
    fill_num_classes(filled)
    assert filled.model.decode_head.num_classes == 3
    assert filled.model.auxiliary_head[0].num_classes == 3
    assert filled.model.auxiliary_head[1].num_classes == 7


def test_leaves_other_configs_alone() -> None:
    plain = Config(dict(model=dict(num_classes=21), class_prompts='nowhere'))
    fill_num_classes(plain)
    assert plain.model.num_classes == 21
    fill_num_classes(Config(dict(work_dir='.')))


def test_needs_the_names() -> None:
    with pytest.raises(UserInputError, match="class_prompts='classes.yaml'"):
        fill_num_classes(config())
    with pytest.raises(UserInputError, match='no such file'):
        fill_num_classes(config(class_prompts='nowhere.yaml'))
