# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""mmseg's own calls on the configs of this package, as they are dumped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmseg.apis import (
    MMSegInferencer,
    inference_model,
    init_model,
    show_result_pyplot,
)
from mmseg.registry import DATASETS, MODELS
from PIL import Image

from mmfmwsss.datasets.transforms import LoadImageStrict
from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.class_tables import CLASS_PROMPTS
from mmfmwsss.utils import UserInputError

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
NAME = 'val_0000'
NETWORKS = ('plain', 'sams', 'custom')
FILES = dict(
    plain='partworld_deeplabv3plus',
    sams='partworld_deeplabv3plus_sams',
    prompt='partworld_prompt',
    custom='custom_deeplabv3plus',
)


class World:
    """Configs by kind, read from files in the layout of a work folder."""

    def __init__(self, root: Path, data: Path) -> None:
        self.photo = str(data / f'JPEGImages/{NAME}.jpg')
        width, height = Image.open(self.photo).size
        self.shape = (height, width)
        masks = torch.zeros(1, height, width, dtype=torch.bool)
        masks[0, 8:40, 8:40] = True
        SAMMasks(masks, torch.tensor([2]), torch.ones(1), torch.ones(1)).save(
            root / f'masks/{NAME}.json'
        )
        labels = CLASS_PROMPTS['partworld']
        foreground = '\n'.join(f'  - {name}' for name in labels.labels[1:])
        (root / 'classes.yaml').write_text(
            f'classes:\n{foreground}\nbackground: [floor]\n'
        )
        (root / 'images').symlink_to(data / 'JPEGImages')
        self.meta = dict(
            classes=labels.labels, palette=[list(c) for c in labels.palette]
        )
        self.files = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv('PARTWORLD_ROOT', str(data))
            patch.setenv('CUSTOM_ROOT', str(root))
            patch.setenv('CUSTOM_MODELS', 'tiny')
            for kind, name in FILES.items():
                config = Config.fromfile(CONFIGS / f'{name}.py')
                text = '\n'.join(
                    f'{key} = {value!r}'
                    for key, value in config.to_dict().items()
                ).replace('work_dirs/partworld/sam_masks', f'{root}/masks')
                self.files[kind] = root / f'{kind}.py'
                self.files[kind].write_text(text)
        self.checkpoints = {
            kind: self._checkpoint(kind, root) for kind in ('plain', 'prompt')
        }

    def read(self, kind: str) -> Config:
        """Read a config back, as mmseg's calls do with a path."""
        return Config.fromfile(self.files[kind])

    def _checkpoint(self, kind: str, root: Path) -> str:
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmseg'):
            model = MODELS.build(self.read(kind).model)
        path = root / f'{kind}.pth'
        meta = dict(dataset_meta=self.meta)
        torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
        return str(path)

    def weights(self, kind: str) -> str:
        """All networks here are one: one checkpoint fits them."""
        return self.checkpoints['prompt' if kind == 'prompt' else 'plain']

    def init(self, kind: str, **options: Any) -> Any:
        return init_model(
            str(self.files[kind]), self.weights(kind), 'cpu', options or None
        )


@pytest.fixture(scope='module')
def world(
    tmp_path_factory: pytest.TempPathFactory, partworld_root: Path
) -> World:
    return World(tmp_path_factory.mktemp('mmseg_inference'), partworld_root)


@pytest.mark.parametrize('kind', NETWORKS)
def test_inference_model(kind: str, world: World, tmp_path: Path) -> None:
    model = world.init(kind)
    result = inference_model(model, world.photo)
    assert result.pred_sem_seg.shape == world.shape
    pair = inference_model(model, [world.photo] * 2)
    assert len(pair) == 2
    painted = show_result_pyplot(
        model,
        world.photo,
        result,
        show=False,
        out_file=str(tmp_path / 'a.png'),
    )
    assert painted.shape == (*world.shape, 3)
    assert (tmp_path / 'a.png').is_file()


@pytest.mark.parametrize('kind', NETWORKS)
def test_inferencer(kind: str, world: World, tmp_path: Path) -> None:
    inferencer = MMSegInferencer(
        str(world.files[kind]), world.weights(kind), device='cpu'
    )
    made = inferencer(world.photo, out_dir=str(tmp_path))['predictions']
    expected = inference_model(world.init(kind), world.photo)
    assert np.array_equal(made, expected.pred_sem_seg.data[0].numpy())
    assert len(list(tmp_path.rglob('*.png'))) == 1
    assert len(list(tmp_path.rglob('*.jpg'))) == 1


def test_masks_change_the_result_as_in_a_test_run(world: World) -> None:
    """One mask has one label; all else is background."""
    labels = inference_model(world.init('sams'), world.photo)
    labels = labels.pred_sem_seg.data[0]
    inside = labels[8:40, 8:40].unique()
    assert len(inside) == 1
    labels[8:40, 8:40] = 0
    assert not labels.any()


def test_an_array_has_no_masks_and_the_message_says_so(world: World) -> None:
    image = np.array(Image.open(world.photo).convert('RGB'))[..., ::-1].copy()
    by_path = inference_model(world.init('plain'), world.photo)
    by_array = inference_model(world.init('plain'), image)
    assert torch.equal(by_path.pred_sem_seg.data, by_array.pred_sem_seg.data)
    with pytest.raises(UserInputError, match='config without SAMS'):
        inference_model(world.init('sams'), image)


def test_prompts_ask_for_image_labels(world: World, tmp_path: Path) -> None:
    model = world.init('prompt')
    (masks,) = [
        step for step in model.cfg.test_pipeline if step.type == 'LoadSAMMasks'
    ]
    assert Path(masks.mask_dir).name == 'masks'
    with pytest.raises(UserInputError, match=f'{NAME}.jpg.* photo and its'):
        inference_model(model, world.photo)
    inferencer = MMSegInferencer(
        str(world.files['prompt']), world.weights('prompt'), device='cpu'
    )
    with pytest.raises(UserInputError, match='image-level labels'):
        inferencer(world.photo)


def test_slide_set_on_the_wrapper_reaches_the_network(world: World) -> None:
    slide = dict(mode='slide', crop_size=(64, 64), stride=(48, 48))
    model = world.init('sams', **{'model.test_cfg': slide})
    assert model.segmentor.test_cfg.mode == 'slide'
    plain = world.init('plain', **{'model.test_cfg': slide})
    scores = [
        inference_model(net, world.photo).seg_logits.data
        for net in (model, plain)
    ]
    assert torch.equal(*scores)
    whole = inference_model(world.init('plain'), world.photo).seg_logits.data
    assert not torch.equal(scores[0], whole)


@pytest.mark.parametrize('kind', NETWORKS)
def test_the_steps_of_the_stock_tta_flag(kind: str, world: World) -> None:
    config = world.read(kind)
    config.test_dataloader.dataset.pipeline = config.tta_pipeline
    config.test_dataloader.num_workers = 0
    if kind != 'custom':  # whose folder has photos of both splits
        config.test_dataloader.dataset.indices = 1
    model = MODELS.build(dict(config.tta_model, module=config.model)).eval()
    batch = next(iter(Runner.build_dataloader(config.test_dataloader)))
    assert len(batch['inputs']) == 6  # three scales, each also flipped
    with torch.no_grad():
        (sample,) = model.test_step(batch)
    assert sample.pred_sem_seg.shape == sample.ori_shape


@pytest.mark.parametrize('kind', NETWORKS)
def test_data_sets_read_strictly_whatever_the_name(
    kind: str, world: World
) -> None:
    config = world.read(kind).test_dataloader.dataset
    assert config.pipeline[0].type == 'LoadImageFromFile'
    dataset = DATASETS.build(config)
    assert type(dataset.pipeline.transforms[0]) is LoadImageStrict


@pytest.mark.parametrize(
    'name',
    [
        'custom_deeplabv3plus',
        'partworld_mask2former',
        'partworld_deeplabv3plus_sams',
        'coco_mask2former_swin_l_sams',
        'voc_deeplabv3plus_r101_sams',
        'voc_deeplabv3plus_r101_test_server',
    ],
)
def test_network_configs_have_what_mmseg_reads(name: str) -> None:
    config = Config.fromfile(CONFIGS / f'{name}.py')
    assert config.test_pipeline[0].type == 'LoadImageFromFile'
    assert config.test_dataloader.dataset.pipeline == config.test_pipeline
    assert config.tta_pipeline[0] == config.test_pipeline[0]
    refined = config.model.type == 'RefinedSegmentor'
    assert (config.tta_model.type == 'RefinedSegTTAModel') == refined
    loads = [step.type for step in config.test_pipeline]
    assert ('LoadSAMMasks' in loads) == refined
