# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""voc_prompt.py trains a step on real layouts and full-size random weights."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, Runner
from PIL import Image

from mmfmwsss.structures import SAMMasks
from mmfmwsss.workshop.tiny_models import OpenAIArchive

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
ANNOTATION = (
    '<annotation><filename>{name}.jpg</filename>'
    '<object><name>dog</name><difficult>0</difficult></object>'
    '<object><name>sofa</name><difficult>1</difficult></object></annotation>'
)


def write_voc(root: Path, names: list[str], masks: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True)
    for name in names:
        pixels = rng.integers(0, 255, (250, 334, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / 'JPEGImages' / f'{name}.jpg')
        text = ANNOTATION.format(name=name)
        (root / 'Annotations' / f'{name}.xml').write_text(text)
        squares = torch.zeros(4, 250, 334, dtype=torch.bool)
        for k in range(4):
            squares[k, 60 * k : 60 * (k + 1), 80 * k : 80 * k + 120] = True
        SAMMasks(
            masks=squares,
            levels=torch.tensor([2, 2, 1, 0]),
            predicted_iou=torch.ones(4),
            stability_score=torch.ones(4),
        ).save(masks / f'{name}.json')
    split = root / 'ImageSets' / 'Segmentation' / 'train_aug.txt'
    split.write_text('\n'.join(names) + '\n')


@pytest.mark.slow
def test_a_step_from_the_official_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, masks = tmp_path / 'VOC2012', tmp_path / 'masks'
    write_voc(root, ['2007_000032', '2007_000039'], masks)
    torch.manual_seed(0)
    model = open_clip.create_model('ViT-B-16-quickgelu', pretrained=None)
    weights = tmp_path / 'clip.pt'
    archive = OpenAIArchive(model.half(), 224)
    torch.jit.trace(archive, torch.ones(1)).save(str(weights))
    monkeypatch.setenv('VOC12_ROOT', str(root))
    monkeypatch.setenv('CLIP_VIT_B16', str(weights))

    config = Config.fromfile(CONFIGS / 'voc_prompt.py')
    config.work_dir = str(tmp_path / 'run')
    loader = config.train_dataloader
    loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    loader.dataset.pipeline[1].mask_dir = str(masks)
    config.train_cfg.max_epochs = 1
    config.param_scheduler = None
    runner = Runner.from_cfg(config)
    before = [p.detach().clone() for p in runner.model.parameters()]
    runner.train()
    changed = [
        not torch.equal(b, a)
        for b, a in zip(before, runner.model.parameters(), strict=True)
    ]
    assert all(changed)
    saved = tmp_path / 'run' / 'epoch_1.pth'
    state = CheckpointLoader.load_checkpoint(str(saved))['state_dict']
    shapes = {k: tuple(v.shape) for k, v in state.items() if 'context' in k}
    assert shapes == {
        'streams.classification.prompts.context': (16, 512),
        'streams.segmentation.prompts.context': (45, 16, 512),
    }
