# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Recipes of prompt learning: schedules, losses, the official two runs."""

import importlib
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import CheckpointLoader, Runner
from mmseg.registry import DATASETS, MODELS
from PIL import Image
from torch import nn

from mmfmwsss.models.cams import present_softmax
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png

CONFIGS = Path(__file__).parents[2] / 'configs'
SCHEDULES = CONFIGS / '_base_' / 'schedules'
TINY = CONFIGS / 'fmwsss' / 'partworld_prompt.py'


def learning_rates(config: Config, steps: int) -> list[float]:
    """What the schedulers make of the optimiser's rate, step by step."""
    lr = config.optim_wrapper.optimizer.lr
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))
        for s in config.param_scheduler
    ]
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def expected_rate(step: int, warmup: int, total: int, lr: float) -> float:
    """1e-5, then a cosine from the full rate to 0."""
    if step < warmup:
        return 1e-5
    share = (step - warmup) / (total - warmup)
    return 0.5 * lr * (1 + math.cos(math.pi * share))


@pytest.mark.parametrize(('name', 'epochs'), [('voc', 25), ('coco', 10)])
def test_paper_schedule(name: str, epochs: int) -> None:
    """As CoOp: the cosine's period is the number of all epochs."""
    config = load(f'{name}_prompt')
    assert config.train_cfg.max_epochs == epochs
    rates = learning_rates(config, epochs)
    expected = [expected_rate(e, 1, epochs + 1, 0.002) for e in range(epochs)]
    assert rates == pytest.approx(expected, rel=1e-9)
    if epochs == 10:  # CoOp's own code at the eighth epoch
        assert rates[7] == pytest.approx(6.91e-4, abs=1e-6)


JOINT = ['voc_prompt', 'coco_prompt', 'custom_prompt']


@pytest.mark.parametrize('name', JOINT)
def test_joint_recipes_jitter_as_the_official_code(name: str) -> None:
    """Colours before the scale, in the official ranges and nowhere else."""
    pipeline = load(name).train_dataloader.dataset.pipeline
    assert [step.type for step in pipeline] == [
        'LoadImageStrict',
        'LoadSAMMasks',
        'ReproducibleAugmentation',
        'RandomColourJitter',
        'RandomLongSideResize',
        'RandomCropWithMasks',
        'RandomFlip',
        'PackWSSSInputs',
    ]
    assert dict(pipeline[3]) == dict(type='RandomColourJitter')


def test_partworld_schedule() -> None:
    config = Config.fromfile(SCHEDULES / 'prompt_partworld.py')
    rates = learning_rates(config, config.train_cfg.max_iters)
    expected = [expected_rate(t, 20, 400, 0.002) for t in range(400)]
    assert rates == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ('data', 'task', 'parts', 'warmup', 'total', 'stop'),
    [
        ('voc', 'cls', 1, 500, 1800, 1800),
        ('voc', 'seg', 1, 500, 17000, 17000),
        ('coco', 'cls', 4, 1000, 20500, 6150),
        ('coco', 'seg', 8, 1000, 75000, 45000),
    ],
)
def test_official_schedule(
    data: str, task: str, parts: int, warmup: int, total: int, stop: int
) -> None:
    config = load(f'{data}_prompt_official_{task}')
    assert config.train_cfg.max_iters == stop * parts
    assert config.optim_wrapper.accumulative_counts == parts
    steps = min(stop, 1500) * parts
    rates = learning_rates(config, steps)
    # The rate at the update, which follows the last part.
    updates = rates[parts - 1 :: parts]
    expected = [
        expected_rate(t + (parts - 1) / parts, warmup, total, 0.001)
        for t in range(len(updates))
    ]
    assert updates == pytest.approx(expected, rel=1e-6)


def load(name: str) -> Config:
    return Config.fromfile(CONFIGS / 'fmwsss' / f'{name}.py')


def test_official_recipes_differ_as_the_released_code_does() -> None:
    """What FMA-WSSS's code differs in from the paper, in one place."""
    common = dict(type='LearnablePrompts', context_length=16)
    unified = dict(class_specific=False, name_position='end')
    expected = {
        'voc_cls': (
            dict(init_std=0.015, init_seed=2763632353, **unified),
            (16, 288, 480),
            (0.4, 'score', True, 0.6),
        ),
        'voc_seg': (
            dict(
                init_std=0.0125,
                init_seed=3631188958,
                class_specific=True,
                name_position='front',
                nameless_background=True,
            ),
            (16, 288, 480),
            (0.5, 'cam', True, 0.7),
        ),
        'coco_cls': (
            dict(init_std=0.015, init_seed=2763632353, **unified),
            (4, 318, 530),
            (0.6, 'cam', True, 0.4),
        ),
        'coco_seg': (
            dict(init_std=0.015, init_seed=2763632353, **unified),
            (2, 318, 531),
            (None, None, False, 1.0),
        ),
    }
    for name, (prompts, images, seeds) in expected.items():
        data, task = name.split('_')
        config = load(f'{data}_prompt_official_{task}')
        model = config.model
        (stream,) = model.streams
        assert stream == dict(cls='classification', seg='segmentation')[task]
        assert model.streams[stream].prompts == {**common, **prompts}
        assert model.training_route is None
        assert model.official
        pipeline = {
            step.type: step
            for step in config.train_dataloader.dataset.pipeline
        }
        resize = pipeline['RandomLongSideResize']
        batch = config.train_dataloader.batch_size
        assert (batch, resize.low, resize.high) == images
        assert batch * config.optim_wrapper.accumulative_counts == 16
        order = [
            step
            for step in pipeline
            if step.startswith('Random') or step == 'ImageLabelsFromSeed'
        ]
        assert order == [
            'RandomColourJitter',
            'RandomLongSideResize',
            'RandomCropWithMasks',
            'RandomFlip',
            *(['ImageLabelsFromSeed'] if name == 'voc_seg' else []),
        ]
        assert ('LoadSeed' in pipeline) == (task == 'seg')
        (route,) = load(f'{data}_seed_official_{task}').model.routes.values()
        threshold, refine, use_caa, alpha = seeds
        assert route.get('use_caa', True) == use_caa
        assert route.seeder.alpha == alpha
        if use_caa:
            assert model.caa.box_threshold == threshold
            assert model.caa.refine == refine
            assert (model.caa.sinkhorn_rounds, model.caa.power) == ((1, 2))


def test_each_run_reads_what_the_one_before_wrote() -> None:
    for data in ('voc', 'coco'):
        coarse = load(f'{data}_seed_official_cls')
        train = load(f'{data}_prompt_official_seg')
        pipeline = train.train_dataloader.dataset.pipeline
        (loader,) = [step for step in pipeline if step.type == 'LoadSeed']
        assert loader.seed_dir == coarse.test_evaluator.output_dir
        for task in ('cls', 'seg'):
            learn = load(f'{data}_prompt_official_{task}')
            last = learn.train_cfg.max_iters
            expected = f'{learn.work_dir}/iter_{last}.pth'
            assert load(f'{data}_seed_official_{task}').load_from == expected
        paper = load(f'{data}_prompt')
        last = paper.train_cfg.max_epochs
        expected = f'{paper.work_dir}/epoch_{last}.pth'
        assert load(f'{data}_seed').load_from == expected


LOSSES: dict[str, list[dict[str, Any]]] = {
    'classification': [
        dict(type='MultiLabelContrastiveLoss'),
        dict(type='MultiLabelContrastiveLoss', average='pair'),
        dict(type='MultiLabelBCELoss'),
        dict(type='MultiLabelBCELoss', bias=-20.0, learnable=True),
    ],
    'segmentation': [
        dict(type='CAMActivationLoss'),
        dict(type='CAMActivationLoss', average='batch'),
        dict(type='CAMCrossEntropyLoss'),
        dict(type='CAMCrossEntropyLoss', average='batch'),
    ],
}


def small_batch(root: Path) -> dict[str, Any]:
    """Four crops of PartWorld with their image-level labels."""
    dataset = DATASETS.build(
        dict(
            type='PartWorldImageLabelDataset',
            data_root=str(root),
            pipeline=[
                dict(type='LoadImageStrict'),
                dict(
                    type='RandomLongSideResize',
                    low=112,
                    high=112,
                    min_short=112,
                ),
                dict(type='RandomCropWithMasks', crop_size=112),
                dict(type='PackWSSSInputs'),
            ],
        )
    )
    np.random.seed(0)
    return pseudo_collate([dataset[i] for i in range(4)])


def joint_model(**changes: Any) -> Config:
    """Both streams on the tiny CLIP; no SAM is needed to supervise a step."""
    model = Config.fromfile(TINY).model
    argmax = dict(type='ArgmaxSeeder')
    model.training_route.seeder = argmax
    model.routes.fine_seed.seeder = argmax
    model.update(changes)
    return model


@pytest.mark.parametrize('official', [False, True])
def test_official_reaches_every_softmax(
    official: bool, partworld_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spy(*args: Any, **kwargs: Any) -> torch.Tensor:
        seen.append(kwargs.get('official', (*args, False)[2]))
        return present_softmax(*args, **kwargs)

    module = importlib.import_module('mmfmwsss.models.cams.softmax_gradcam')
    monkeypatch.setattr(module, 'present_softmax', spy)
    model = MODELS.build(joint_model(official=official))
    batch = small_batch(partworld_root)
    model.loss(**model.data_preprocessor(batch, True))
    assert seen == [official] * 2  # coarse seed and segmentation stream
    model.eval().test_step(batch)
    # one CAM for the images that share a size
    sizes = {sample.ori_shape for sample in batch['data_samples']}
    assert seen == [official] * (2 + len(sizes))


@pytest.mark.parametrize(
    ('stream', 'loss'),
    [(stream, loss) for stream, losses in LOSSES.items() for loss in losses],
)
def test_a_step_lowers_each_loss(
    stream: str, loss: dict[str, Any], partworld_root: Path
) -> None:
    """On pictures of PartWorld, with the tiny CLIP, as Runner does it."""
    model_config = joint_model()
    model_config.streams[stream].loss = loss
    torch.manual_seed(0)
    model = MODELS.build(model_config).train()
    batch = small_batch(partworld_root)
    # Near 0 the sigmoid of a CAM is flat: CoOp's step changes no float32.
    lr = 0.5 if loss['type'] == 'CAMCrossEntropyLoss' else 0.002
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            optimizer=dict(type='SGD', lr=lr, weight_decay=5e-4),
            paramwise_cfg=dict(
                custom_keys={'loss_module': dict(decay_mult=0)}
            ),
        ),
    )
    name = model.streams[stream].loss_module.loss_name
    context = model.streams[stream].prompts.context
    before = context.detach().clone()
    first = model.train_step(batch, wrapper)[name]
    assert not torch.equal(context, before)
    second = model.train_step(batch, wrapper)[name]
    assert 0 <= float(second) < float(first)


@pytest.fixture
def blind_root(partworld_root: Path, tmp_path: Path) -> Path:
    """PartWorld without its ground truth, which no run here may open."""
    root = tmp_path / 'data'
    root.mkdir()
    for name in ('JPEGImages', 'ImageSets', 'image_labels.txt'):
        (root / name).symlink_to(partworld_root / name)
    for picture in (root / 'JPEGImages').glob('*.jpg'):
        width, height = Image.open(picture).size
        tiles = torch.arange(height)[:, None] // 32 * 8
        tiles = tiles + torch.arange(width) // 32
        ids = tiles.unique()
        SAMMasks(
            masks=ids[:, None, None] == tiles,
            levels=torch.full((len(ids),), 2),
            predicted_iou=torch.ones(len(ids)),
            stability_score=torch.ones(len(ids)),
        ).save(tmp_path / 'masks' / f'{picture.stem}.json')
    return root


def in_miniature(name: str, root: Path, iters: int = 0) -> Config:
    """A config of VOC or COCO on PartWorld and the tiny CLIP, in short."""
    config = load(name)
    work = root.parent
    tiny = Config.fromfile(TINY).model
    config.model.clip = tiny.clip
    config.model.class_prompts = 'partworld'
    sizes = {
        'ResizeToPatchMultiple': dict(patch_size=8),
        'RandomLongSideResize': dict(low=112, high=176, min_short=112),
        'RandomCropWithMasks': dict(crop_size=112),
        'LoadSAMMasks': dict(mask_dir=str(work / 'masks')),
    }
    for key in ('train_dataloader', 'test_dataloader'):
        if (loader := config[key]) is None:
            continue
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset = dict(
            type='PartWorldImageLabelDataset',
            data_root=str(root),
            pipeline=loader.dataset.pipeline,
            test_mode=key == 'test_dataloader',
        )
        for step in loader.dataset.pipeline:
            step.update(sizes.get(step.type, {}))
    if iters:
        config.train_dataloader.batch_size = 2
        config.train_cfg.max_iters = iters
        config.param_scheduler = None
        config.default_hooks.checkpoint.interval = iters
    return Config(moved(config.to_dict(), work))


def moved(value: Any, work: Path) -> Any:
    """A config whose results lie in ``work``."""
    if isinstance(value, dict):
        return {k: moved(v, work) for k, v in value.items()}
    if isinstance(value, list):
        return [moved(v, work) for v in value]
    if isinstance(value, str):
        for folder in ('voc12', 'coco14'):
            value = value.replace(f'work_dirs/{folder}', str(work))
    return value


@pytest.fixture
def _plain_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runner logs its config; laying it out takes longer than these runs."""
    text = property(lambda config: repr(config.to_dict()))
    monkeypatch.setattr(Config, 'pretty_text', text)


def learn(config: Config) -> dict[str, torch.Tensor]:
    Runner.from_cfg(config).train()
    path = Path(config.work_dir) / f'iter_{config.train_cfg.max_iters}.pth'
    state = CheckpointLoader.load_checkpoint(str(path))['state_dict']
    return {k: v for k, v in state.items() if k.endswith('context')}


@pytest.mark.slow
@pytest.mark.usefixtures('_plain_configs')
@pytest.mark.parametrize('data', ['voc', 'coco'])
def test_the_official_two_runs(data: str, blind_root: Path) -> None:
    """Learn, write coarse seeds, learn from them, write fine seeds."""
    iters = 8  # a multiple of the parts that are added up
    work = blind_root.parent
    segmentation = in_miniature(
        f'{data}_prompt_official_seg', blind_root, iters
    )
    with pytest.raises(
        UserInputError, match=f'configs/fmwsss/{data}_seed_official_cls.py'
    ):
        Runner.from_cfg(segmentation.copy()).train()

    labels = {
        name: len(classes.split())
        for name, classes in (
            line.split(maxsplit=1)
            for line in (blind_root / 'image_labels.txt').open()
        )
    }
    for task, route in (('cls', 'coarse_seed'), ('seg', 'fine_seed')):
        config = in_miniature(
            f'{data}_prompt_official_{task}', blind_root, iters
        )
        start = MODELS.build(config.model).state_dict()
        learnt = learn(config)
        assert len(learnt) == 1  # of this run's stream only
        for name, value in learnt.items():
            assert not torch.equal(value, start[name])
        seeds = in_miniature(f'{data}_seed_official_{task}', blind_root, iters)
        seeds.load_from = f'{config.work_dir}/iter_{iters}.pth'
        metrics = Runner.from_cfg(seeds).test()
        assert metrics[f'{route}/images'] == 6
        assert metrics[f'{route}/failed'] == 0
        written = sorted(
            (work / f'seed_official_{task}' / route).glob('*.png')
        )
        assert len(written) == 6
        for path in written:
            found = set(np.unique(read_label_png(path)).tolist()) - {0}
            assert len(found) <= labels[path.stem]
        assert any(read_label_png(path).any() for path in written)


@pytest.mark.usefixtures('_plain_configs')
def test_clip_es_needs_no_training_and_no_masks(blind_root: Path) -> None:
    shutil.rmtree(blind_root.parent / 'masks')
    config = in_miniature('voc_clip_es', blind_root)
    metrics = Runner.from_cfg(config).test()
    for route in ('pseudo_mask', 'cam_caa'):
        assert metrics[f'{route}/images'] == 6
        assert metrics[f'{route}/failed'] == 0
    folder = Path(config.work_dir) / 'pseudo_mask'
    written = [read_label_png(path) for path in sorted(folder.glob('*.png'))]
    assert len(written) == 6
    # Sure of some pixels, not of all.
    values = np.concatenate([labels.ravel() for labels in written])
    assert 0 < (values == 255).mean() < 1
    assert ((values > 0) & (values < 255)).any()
    assert not (Path(config.work_dir) / 'cam_caa').exists()


@pytest.mark.usefixtures('_plain_configs')
@pytest.mark.parametrize('data', ['voc', 'coco'])
def test_scored_seeds_have_every_row(
    data: str, blind_root: Path, partworld_root: Path
) -> None:
    """CAM to fine seed in one run; only seeds are written."""
    config = in_miniature(f'{data}_seed_scored', blind_root)
    config.load_from = None
    truth = str(partworld_root / 'SegmentationClass')
    for metric in config.test_evaluator:
        metric.ground_truth_dir = truth
    metrics = Runner.from_cfg(config).test()
    seeds = {'fine_seed', 'fine_seed_no_caa', 'coarse_seed'}
    for route in (*seeds, 'cam', 'cam_caa'):
        assert metrics[f'{route}/images'] == 6
        assert 0 <= metrics[f'{route}/mIoU'] <= 100
    folder = Path(config.work_dir)
    assert {path.parent.name for path in folder.glob('*/*.png')} == seeds
