# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The figures of the paper from the ablation configs, untrained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.registry import MODELS

from mmfmwsss.apis import write_metrics
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)
from mmfmwsss.workshop.report import render_page
from mmfmwsss.workshop.tables.paper_figures import (
    draw_figures,
)

ABLATION = Path(__file__).parents[3] / 'configs' / 'fmwsss' / 'ablation'
MASKS = ['plain', 'more_whole', 'nms_priority', 'no_filter']


@pytest.fixture
def folders(
    partworld_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Path]:
    """The tests behind the figures, on six images."""
    truth = partworld_root / 'SegmentationClass'
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))
    monkeypatch.setenv('ABLATION_ROOT', str(tmp_path))
    monkeypatch.setenv('ABLATION_RUN', str(tmp_path / 'seed0'))
    monkeypatch.setenv('ABLATION_GROUND_TRUTH', str(truth))
    images = partworld_root / 'JPEGImages'
    for name in ['sam_masks', *(f'masks_{name}' for name in MASKS)]:
        write_quarter_masks(images, tmp_path / name)
    prompts = str(tmp_path / 'prompts.pth')
    made = {}
    for name in ('seeds', 'clip_es', 'mask_settings'):
        config = small_partworld_config(ABLATION / f'{name}.py', tmp_path)
        if name != 'clip_es':
            config.load_from = prompts
        if name == 'seeds':
            state = MODELS.build(config.model).state_dict()
            torch.save(dict(state_dict=state, meta={}), prompts)
        runner = Runner.from_cfg(config)
        write_metrics(runner, runner.test(), 1.0)
        made[name] = Path(config.work_dir)
    return made


@pytest.mark.slow
def test_figures_of_the_ablations(folders: dict[str, Path]) -> None:
    figures = draw_figures(folders, images=2)
    assert [figure.number for figure in figures] == [1, 3, 4]
    prompts, masks, models = figures
    for card in prompts.cards:
        assert [p.title for p in card.pictures] == [
            'image',
            *('Cls. CAM', 'Cls. seed', 'Seg. CAM', 'Seg. seed'),
            'ground truth',
        ]
        assert card.name.endswith(f': {card.classes[0]}')
    assert len({card.name for card in prompts.cards}) == len(prompts.cards)
    titles = [p.title for p in masks.cards[0].pictures]
    assert titles[1:3] == ['masks, plain', 'seed, plain']
    assert titles[-3:] == ['masks, + filter', 'seed, + filter', 'ground truth']
    assert masks.cards[0].note.endswith(', masks 3, 3, 3, 3')
    # Same masks, same CAM: seeds that are made now equal those on disk.
    plain, filtered = (masks.cards[0].pictures[i].image for i in (2, 8))
    assert np.array_equal(plain, filtered)
    assert [card.score for card in models.cards] == sorted(
        card.score for card in models.cards if card.score is not None
    )
    titles = [p.title for p in models.cards[0].pictures]
    assert titles[1:6] == ['CLIP-ES', 'M0', 'M1', 'M2', 'M3']
    assert titles[-1] == 'errors of M3'
    for figure in figures:
        assert figure.title in render_page('t', [figure.section()])
        assert figure.picture(1).shape[0] < figure.picture(2).shape[0]
    assert models.picture().shape[1] == 6 + 7 * 146  # without the errors
    # What has no run has no figure.
    del folders['clip_es'], folders['mask_settings']
    assert [f.number for f in draw_figures(folders, 1)] == [1]
    assert draw_figures(folders, 0) == []
    assert draw_figures({}) == []


def test_run_without_a_model(seed_run: Path) -> None:
    with pytest.raises(UserInputError, match='such as that of configs'):
        draw_figures(dict(seeds=seed_run))
