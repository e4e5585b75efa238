# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A config by its name, wherever the package is."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config
from mmseg.registry import HOOKS, MODELS, VISUALIZERS

from mmfmwsss.models.segmentors import CLIPPromptSegmentor
from mmfmwsss.utils import UserInputError, read_config
from mmfmwsss.utils.shipped_files import (
    find_shipped_config,
    require_checkout,
)

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize(
    'name',
    [
        'fmwsss/voc_seed.py',
        'fmwsss/voc_seed',
        'configs/fmwsss/voc_seed.py',
        'mmfmwsss::fmwsss/voc_seed.py',
        Path('fmwsss/voc_seed.py'),
    ],
)
def test_names_of_one_config(name: str | Path) -> None:
    assert find_shipped_config(name) == CONFIGS / 'fmwsss/voc_seed.py'


@pytest.mark.parametrize(
    'name',
    [
        'fmwsss/none.py',
        'fmwsss',
        '',
        '../setup.py',
        'fmwsss/../../setup.py',
        str(CONFIGS / 'fmwsss/none.py'),
    ],
)
def test_no_config(name: str) -> None:
    assert find_shipped_config(name) is None


def test_a_file_here_goes_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = read_config('fmwsss/partworld_prompt.py')
    assert shipped.work_dir == 'work_dirs/partworld/prompt'
    (tmp_path / 'fmwsss').mkdir()
    (tmp_path / 'fmwsss/partworld_prompt.py').write_text('own = True\n')
    assert read_config('fmwsss/partworld_prompt.py').own


def test_mmengine_takes_them_as_bases(tmp_path: Path) -> None:
    config = get_config('mmfmwsss::fmwsss/partworld_prompt.py')
    assert config.model.type == 'CLIPPromptSegmentor'
    (tmp_path / 'own.py').write_text(
        "_base_ = 'mmfmwsss::fmwsss/partworld_prompt.py'\n"
        "work_dir = 'elsewhere'\n"
    )
    config = Config.fromfile(tmp_path / 'own.py')
    assert config.work_dir == 'elsewhere'
    # What is built of it is found: ours, mmseg's and mmengine's
    model = MODELS.build(config.model)
    assert isinstance(model, CLIPPromptSegmentor)
    assert VISUALIZERS.build(config.visualizer)
    for hook in config.default_hooks.values():
        assert HOOKS.build(hook)


def test_chains_of_stages_ask_for_a_checkout(tmp_path: Path) -> None:
    """Inside of an installed package no data and no result is written."""
    require_checkout(tmp_path)
    with pytest.raises(UserInputError, match='Expected a checkout'):
        require_checkout(tmp_path / 'mmfmwsss' / '.mim')
