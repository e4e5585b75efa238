# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""mmseg's calls and tools on what a training of this package leaves behind.

Each network is trained for a moment by mmengine's own runner. Then its config
as it ships, and as the run wrote it, goes through the steps of mmseg's
scripts, which no wheel of mmseg holds.
"""

import argparse
import csv
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.runner import Runner, load_checkpoint
from mmengine.visualization import Visualizer
from mmseg.apis import (
    MMSegInferencer,
    inference_model,
    init_model,
    show_result_pyplot,
)
from mmseg.registry import DATASETS, MODELS, VISUALIZERS
from mmseg.structures import SegDataSample
from PIL import Image

from mmfmwsss.apis import build_runner, load_config
from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.class_tables import CLASS_PROMPTS
from mmfmwsss.utils import UserInputError
from mmfmwsss.visualization import NamedLabelVisualizer

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
FILES = dict(
    plain='partworld_deeplabv3plus',
    sams='partworld_deeplabv3plus_sams',
    custom='custom_deeplabv3plus',
    prompt='partworld_prompt',
)
NETWORKS = ('plain', 'sams', 'custom')
FORMS = ('shipped', 'dumped')
NAME = 'val_0000'


def write_masks(folder: Path, photos: Path) -> None:
    for path in sorted(photos.glob('*.jpg')):
        width, height = Image.open(path).size
        masks = torch.zeros(2, height, width, dtype=torch.bool)
        masks[0, 8:40, 8:40] = True
        masks[1] = True
        SAMMasks(
            masks, torch.tensor([2, 2]), torch.ones(2), torch.ones(2)
        ).save(folder / f'{path.stem}.json')


def write_layout(root: Path, data: Path) -> None:
    """Seeds, masks and own photos where the configs look for them."""
    photos, truth = data / 'JPEGImages', data / 'SegmentationClass'
    masks = root / 'work_dirs/partworld/sam_masks'
    write_masks(masks, photos)
    for name in ('partworld', 'custom'):
        (root / f'work_dirs/{name}/seed').mkdir(parents=True)
        seeds = root / f'work_dirs/{name}/seed/fine_seed'
        seeds.symlink_to(truth)
    own = root / 'own'
    own.mkdir()
    (own / 'images').symlink_to(photos)
    (own / 'classes.yaml').write_text(
        json.dumps(
            dict(
                classes=CLASS_PROMPTS['partworld'].classes,
                background=['floor'],
            )
        )
    )
    with (own / 'image_labels.csv').open('w', newline='') as file:
        for line in (data / 'image_labels.txt').read_text().splitlines():
            csv.writer(file).writerow(line.split())


class World:
    """Trained networks in the current folder, each trained when needed."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.photo = str(data / f'JPEGImages/{NAME}.jpg')
        self.shape = Image.open(self.photo).size[::-1]

    def shipped(self, kind: str) -> Config:
        """Read the config as it is, with loaders that need no workers."""
        config = Config.fromfile(CONFIGS / f'{FILES[kind]}.py')
        for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            if config.get(key):
                config[key].num_workers = 0
                config[key].persistent_workers = False
        config.test_dataloader.dataset.indices = 2
        config.default_hooks.checkpoint.interval = 1
        config.default_hooks.logger.interval = 1
        config.default_hooks.seed_visualization.images = 0
        config.train_dataloader.batch_size = 2
        if kind == 'custom':
            config.train_dataloader.sampler.epoch_draws = 4
            config.train_dataloader.dataset.indices = 4
        else:
            config.train_cfg.max_iters = 2
        return config

    @cached_property
    def trained(self) -> dict[str, str]:
        """Checkpoints by kind; those with SAMS are of the plain network."""
        found = {}
        for kind in ('plain', 'custom', 'prompt'):
            config = self.shipped(kind)
            run(config, kind).train()
            work = Path(config.work_dir)
            found[kind] = str(max(work.glob('*_*.pth')))
        return dict(found, sams=found['plain'])

    @cached_property
    def dumped(self) -> dict[str, str]:
        """Files that the visualizer of each run wrote beside its curves."""
        config = self.shipped('sams')
        config.load_from = self.trained['sams']
        run(config, 'sams').test()
        found = {}
        for kind in FILES:
            work = Path(self.shipped(kind).work_dir)
            (file,) = work.glob('*/vis_data/config.py')
            found[kind] = str(file)
        return found

    def file(self, kind: str, form: str) -> str:
        if form == 'dumped':
            return self.dumped[kind]
        return str(CONFIGS / f'{FILES[kind]}.py')

    def read(self, kind: str, form: str) -> Config:
        if form == 'dumped':
            return Config.fromfile(self.dumped[kind])
        return self.shipped(kind)


def run(config: Config, name: str) -> Runner:
    """Build mmengine's runner, in place of an earlier one of this process."""
    forget_visualizers()
    config.experiment_name = f'mmseg_ways_{name}'
    return Runner.from_cfg(config)


def forget_visualizers() -> None:
    """A process has one of each name, mmseg's configs name them alike."""
    for kind in (NamedLabelVisualizer, Visualizer):
        kind._instance_dict.clear()


@pytest.fixture(scope='module')
def world(
    tmp_path_factory: pytest.TempPathFactory, partworld_root: Path
) -> Iterator[World]:
    root = tmp_path_factory.mktemp('mmseg_ways')
    write_layout(root, partworld_root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv('PARTWORLD_ROOT', str(partworld_root))
        patch.setenv('CUSTOM_ROOT', 'own')
        patch.setenv('CUSTOM_MODELS', 'tiny')
        patch.setenv('CUSTOM_NETWORK_EPOCHS', '1')
        yield World(root, partworld_root)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', NETWORKS)
def test_init_model_and_show(
    kind: str, form: str, world: World, tmp_path: Path
) -> None:
    model = init_model(world.file(kind, form), world.trained[kind], 'cpu')
    result = inference_model(model, world.photo)
    assert result.pred_sem_seg.shape == world.shape
    file = tmp_path / 'painted.png'
    show_result_pyplot(
        model, world.photo, result, show=False, out_file=str(file)
    )
    assert Image.open(file).size == world.shape[::-1]
    found = model.dataset_meta['classes']
    assert tuple(found) == CLASS_PROMPTS['partworld'].labels


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', NETWORKS)
def test_inferencer(
    kind: str, form: str, world: World, tmp_path: Path
) -> None:
    file, weights = world.file(kind, form), world.trained[kind]
    inferencer = MMSegInferencer(file, weights, device='cpu')
    made = inferencer(world.photo, out_dir=str(tmp_path))
    expected = inference_model(init_model(file, weights, 'cpu'), world.photo)
    labels = expected.pred_sem_seg.data[0].numpy()
    assert np.array_equal(made['predictions'], labels)
    (written,) = tmp_path.rglob('*_pred.png')
    assert np.array_equal(np.array(Image.open(written)), labels)


@pytest.mark.parametrize('kind', ['plain', 'custom'])
def test_inferencer_from_the_checkpoint_alone(kind: str, world: World) -> None:
    """The config is in the checkpoint."""
    inferencer = MMSegInferencer(None, world.trained[kind], device='cpu')
    made = inferencer(world.photo, return_vis=True)
    assert made['predictions'].shape == world.shape
    assert made['visualization'].shape == (*world.shape, 3)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('weights', ['checkpoint', 'prompts.pth'])
def test_prompts_are_built_and_ask_for_labels(
    form: str, weights: str, world: World
) -> None:
    path = world.trained['prompt']
    if weights == 'prompts.pth':
        path = str(Path(path).with_name(weights))
    model = init_model(world.file('prompt', form), path, 'cpu')
    with pytest.raises(UserInputError, match='photo and its'):
        inference_model(model, world.photo)
    found = model.dataset_meta['classes']
    assert tuple(found) == CLASS_PROMPTS['partworld'].labels
    config = world.read('prompt', form)
    batch = next(iter(Runner.build_dataloader(config.test_dataloader)))
    with torch.no_grad():
        (sample,) = model.test_step(batch)
    assert sample.pred_sem_seg.shape == sample.ori_shape
    path = batch['data_samples'][0].img_path
    assert show_result_pyplot(model, path, sample, show=False).any()


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', FILES)
def test_test(kind: str, form: str, world: World) -> None:
    """With mmseg's --out and --show-dir."""
    config = world.read(kind, form)
    config.load_from = world.trained[kind]
    config.work_dir = str(world.root / f'test_{kind}_{form}')
    config.test_evaluator['output_dir'] = f'{config.work_dir}/labels'
    config.test_evaluator['keep_results'] = True
    # mmseg 1.2.2 paints one batch in 50 of them
    config.default_hooks.visualization.update(draw=True, interval=1)
    config.visualizer['save_dir'] = f'{config.work_dir}/painted'
    metrics = run(config, f'test_{kind}_{form}').test()
    scores = [v for k, v in metrics.items() if k.endswith('mIoU')]
    assert len(scores) == (0 if kind == 'custom' else 1)
    assert all(0 <= score <= 100 for score in scores)
    labels = sorted(Path(config.work_dir, 'labels').glob('*.png'))
    assert len(labels) == 2
    painted = sorted(Path(config.work_dir, 'painted').rglob('*.png'))
    assert len(painted) == 2


@pytest.mark.parametrize('kind', FILES)
def test_our_commands_take_what_a_run_wrote(kind: str, world: World) -> None:
    """As ``tools/test.py work_dirs/NAME/vis_data/config.py CHECKPOINT``."""
    args = argparse.Namespace(
        config=world.dumped[kind],
        launcher='none',
        cfg_options=None,
        work_dir=str(world.root / f'again_{kind}'),
    )
    config = load_config(args)
    config.load_from = world.trained[kind]
    forget_visualizers()
    config.experiment_name = f'mmseg_ways_again_{kind}'
    assert build_runner(config).test() is not None


@pytest.mark.slow
@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', NETWORKS)
def test_test_with_tta(kind: str, form: str, world: World) -> None:
    config = world.read(kind, form)
    config.load_from = world.trained[kind]
    config.work_dir = str(world.root / f'tta_{kind}_{form}')
    config.test_dataloader.dataset.pipeline = config.tta_pipeline
    config.test_dataloader.dataset.indices = 1
    config.tta_model.module = config.model
    config.model = config.tta_model
    assert run(config, f'tta_{kind}_{form}').test() is not None


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', FILES)
def test_get_flops(kind: str, form: str, world: World) -> None:
    config = world.read(kind, form)
    model = MODELS.build(config.model)
    if hasattr(model, 'auxiliary_head'):
        model.auxiliary_head = None
    model = revert_sync_batchnorm(model).eval()
    shape = dict(ori_shape=(112, 112), pad_shape=(112, 112))
    data = model.data_preprocessor(
        dict(
            inputs=[torch.rand(3, 112, 112)],
            data_samples=[SegDataSample(metainfo=shape)],
        )
    )
    counted = get_model_complexity_info(
        model, None, inputs=data['inputs'], show_table=False, show_arch=False
    )
    assert counted['flops'] > 1e6
    parameters = sum(p.numel() for p in model.parameters())
    assert counted['params'] == parameters


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', FILES)
def test_benchmark(kind: str, form: str, world: World) -> None:
    config = world.read(kind, form)
    config.model.pretrained = None
    config.model.train_cfg = None
    loader = Runner.build_dataloader(config.test_dataloader)
    model = MODELS.build(config.model)
    load_checkpoint(model, world.trained[kind], map_location='cpu')
    model = revert_sync_batchnorm(model).eval()
    for batch in loader:
        data = model.data_preprocessor(batch, True)
        with torch.no_grad():
            (sample,) = model(
                data['inputs'], data['data_samples'], mode='predict'
            )
        assert sample.pred_sem_seg.shape == sample.ori_shape


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', ['plain', 'custom', 'prompt'])
def test_browse_dataset(
    kind: str, form: str, world: World, tmp_path: Path
) -> None:
    """The training set as the network sees it, one view of each picture."""
    config = world.read(kind, form)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    visualizer = VISUALIZERS.build(dict(config.visualizer, save_dir=None))
    visualizer.dataset_meta = dataset.metainfo
    for number in range(2):
        item, again = dataset[number], dataset[number]
        assert torch.equal(item['inputs'], again['inputs'])
        image = item['inputs'].permute(1, 2, 0).numpy()[..., [2, 1, 0]]
        sample = item['data_samples'].numpy()
        assert ('gt_sem_seg' in sample) == (kind != 'prompt')
        file = tmp_path / Path(sample.img_path).name
        visualizer.add_datasample(
            name=file.name,
            image=image,
            data_sample=sample,
            draw_gt=True,
            draw_pred=False,
            out_file=str(file),
            show=False,
        )
        assert Image.open(file).size == image.shape[1::-1]


@pytest.mark.parametrize('kind', FILES)
def test_print_config(kind: str, world: World) -> None:
    """What is printed can be read again, and says the same."""
    config = Config.fromfile(world.file(kind, 'shipped'))
    again = Config.fromstring(config.pretty_text, '.py')
    assert again.to_dict() == config.to_dict()


@pytest.mark.parametrize('kind', ['plain', 'custom', 'prompt'])
def test_analyze_logs(kind: str, world: World) -> None:
    """Curves by step; those of a test begin with its metrics at step 0."""
    folder = Path(world.dumped[kind]).parent
    (log,) = folder.glob('2*.json')
    curve: dict[int, dict[str, list[float]]] = {}
    step = 0
    for line in log.read_text().splitlines():
        values = json.loads(line)
        step = values.get('step') or step
        for key, value in values.items():
            curve.setdefault(step, {}).setdefault(key, []).append(value)
    losses = [v for at in curve.values() for v in at.get('loss', ())]
    assert len(losses) == 2 and np.isfinite(losses).all()
    if kind == 'plain':
        assert 0 <= curve[2]['mIoU'][0] <= 100


@pytest.mark.slow
@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('kind', ['plain', 'sams'])
def test_confusion_matrix(kind: str, form: str, world: World) -> None:
    """From the label maps of a test; its mean IoU is that of the test."""
    config = world.read(kind, form)
    config.load_from = world.trained[kind]
    config.work_dir = str(world.root / f'confusion_{kind}_{form}')
    config.test_evaluator.output_dir = f'{config.work_dir}/labels'
    metrics = run(config, f'confusion_{kind}_{form}').test()
    maps = sorted(Path(config.work_dir, 'labels').glob('*.png'))
    dataset = DATASETS.build(config.test_dataloader.dataset)
    classes = len(dataset.METAINFO['classes'])
    matrix = np.zeros((classes, classes))
    for number, file in enumerate(maps):
        truth = dataset[number]['data_samples'].gt_sem_seg.data.numpy()
        counted = truth.ravel() != dataset.ignore_index
        pairs = classes * truth.ravel() + np.array(Image.open(file)).ravel()
        matrix += np.bincount(pairs[counted], minlength=classes**2).reshape(
            classes, classes
        )
    hits = np.diag(matrix)
    union = matrix.sum(0) + matrix.sum(1) - hits
    with np.errstate(invalid='ignore'):
        mean = 100 * np.nanmean(hits / union)
    assert metrics['mIoU'] == pytest.approx(mean, abs=0.01)
