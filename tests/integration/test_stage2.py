# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Networks of stage 2 on VOC's and COCO's layouts: one step, one picture.

The networks keep the structure of their configs and lose width and depth.
"""

import os
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.apis import inference_model, init_model
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image

from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.class_names import VOC12
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png, write_palette_png

CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'
TEST_TOOL = Path(__file__).parents[2] / 'tools' / 'test.py'
NETWORKS = ('deeplabv3plus_r101', 'mask2former_swin_l')
SIDE = 64  # of crops and pictures
CHANNELS = 32


def write_photo(path: Path, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = rng.integers(0, 255, (8, 10, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((80, SIDE)).save(path)


def write_map(path: Path, label: int) -> None:
    labels = np.zeros((SIDE, 80), np.uint8)
    labels[16:48, 20:60] = label
    labels[:4] = 255
    write_palette_png(path, labels)


def write_layout(
    root: Path, folders: dict[str, str], lists: dict[str, str]
) -> None:
    """Two pictures to train on and one to test, each with its mask."""
    rng = np.random.default_rng(0)
    for split, names in (('train', ('a', 'b')), ('val', ('c',))):
        for label, name in enumerate(names, 1):
            photo = root / folders[f'{split}_photos'] / f'{name}.jpg'
            write_photo(photo, rng)
            write_map(root / folders[f'{split}_masks'] / f'{name}.png', label)
        path = root / lists[split]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join(names) + '\n')


@pytest.fixture(scope='module')
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The layouts of VOC 2012 and COCO 2014, without annotations."""
    voc, coco = (tmp_path_factory.mktemp(name) for name in ('voc', 'coco'))
    photos, masks = 'JPEGImages', 'SegmentationClassAug'
    write_layout(
        voc,
        dict(
            train_photos=photos,
            train_masks=masks,
            val_photos=photos,
            val_masks=masks,
        ),
        dict(
            train='ImageSets/Segmentation/train_aug.txt',
            val='ImageSets/Segmentation/val.txt',
        ),
    )
    write_layout(
        coco,
        dict(
            train_photos='train2014',
            train_masks='SegmentationClass/train2014',
            val_photos='val2014',
            val_masks='SegmentationClass/val2014',
        ),
        dict(train='ImageSets/train.txt', val='ImageSets/val.txt'),
    )
    return dict(voc=voc, coco=coco)


@pytest.fixture(scope='module')
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work folders of both data sets, with seeds and SAM masks."""
    root = tmp_path_factory.mktemp('work_dirs')
    square = torch.zeros(1, SIDE, 80, dtype=torch.bool)
    square[0, 16:48, 20:60] = True
    one, level = torch.ones(1), torch.tensor([2])
    for data in ('voc12', 'coco14'):
        for label, name in enumerate('ab', 1):
            write_map(root / data / f'seed/fine_seed/{name}.png', label)
        SAMMasks(square, level, one, one).save(
            root / data / 'sam_masks/c.json'
        )
    return root


def shrink(model: ConfigDict) -> None:
    """Take width and depth out of a network; its parts stay."""
    if model.type == 'RefinedSegmentor':
        shrink(model.segmentor)
        return
    model.backbone.init_cfg = None
    model.data_preprocessor.size = (SIDE, SIDE)
    if model.backbone.type == 'ResNetV1c':
        model.backbone.update(base_channels=4, stem_channels=8)
        model.decode_head.update(
            in_channels=128, channels=CHANNELS, c1_in_channels=16
        )
        model.auxiliary_head.update(in_channels=64, channels=CHANNELS)
        return
    model.backbone.update(
        embed_dims=8, num_heads=[1, 2, 4, 8], depths=[1] * 4, window_size=4
    )
    narrow(model.decode_head)
    model.decode_head.in_channels = [8, 16, 32, 64]


def narrow(config: ConfigDict) -> None:
    """Make the decoders of Mask2Former small, at all depths of the config."""
    small = dict(
        feat_channels=CHANNELS,
        out_channels=CHANNELS,
        embed_dims=CHANNELS,
        num_feats=CHANNELS // 2,
        feedforward_channels=CHANNELS,
        num_layers=3,
        num_queries=8,
    )
    for key, value in config.items():
        if key in small:
            config[key] = small[key]
        elif isinstance(value, ConfigDict):
            narrow(value)
    if 'oversample_ratio' in config:
        config.num_points = 64


def shrink_sizes(config: Any) -> None:
    """Make crops and scales small, wherever they stand in a config."""
    if isinstance(config, (list, tuple)):
        for value in config:
            shrink_sizes(value)
    elif isinstance(config, dict):
        for key, value in config.items():
            if key == 'scale':
                config[key] = tuple(side // 8 for side in value)
            elif key == 'crop_size':
                config[key] = (SIDE, SIDE)
            else:
                shrink_sizes(value)


@pytest.fixture(autouse=True, scope='module')
def _quick_dump() -> Iterator[None]:
    """Runners write their config; its layout takes yapf seconds each."""
    with pytest.MonkeyPatch.context() as patch:
        # mmengine imports it once, or each time, depending on the release.
        for module in ('mmengine.config.config', 'yapf.yapflib.yapf_api'):
            patch.setattr(
                f'{module}.FormatCode',
                lambda text, **kwargs: (text, False),
                raising=False,
            )
        yield


def read(name: str, roots: dict[str, Path], work: Path) -> Config:
    """A config below temporary folders, without worker processes."""
    with pytest.MonkeyPatch.context() as patch:
        for data, root in roots.items():
            number = dict(voc='12', coco='14')[data]
            patch.setenv(f'{data.upper()}{number}_ROOT', str(root))
        text = Config.fromfile(CONFIGS / f'{name}.py').dump()
    config = Config.fromstring(text.replace('work_dirs', str(work)), '.py')
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if config.get(key):
            config[key].update(num_workers=0, persistent_workers=False)
    return config


def load(name: str, roots: dict[str, Path], work: Path) -> Config:
    """A config of stage 2 on a small layout, for one step on the CPU."""
    config = read(name, roots, work)
    shrink(config.model)
    config.train_dataloader.batch_size = 2
    shrink_sizes(config._cfg_dict)
    config.train_cfg.max_iters = 1
    config.default_hooks.checkpoint.interval = 1
    config.load_from = None
    return config


@pytest.fixture(scope='module')
def checkpoints(roots: dict[str, Path], work: Path) -> dict[str, Path]:
    """Each network trained for a step on seeds of each data set."""
    paths = {}
    for data in ('voc', 'coco'):
        for network in NETWORKS:
            config = load(f'{data}_{network}', roots, work)
            Runner.from_cfg(config).train()
            paths[f'{data}_{network}'] = Path(config.work_dir) / 'iter_1.pth'
    return paths


CASES = [f'{data}_{net}' for data in ('voc', 'coco') for net in NETWORKS]


@pytest.mark.slow
@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('variant', ['', '_sams'])
def test_a_picture_after_one_step(
    case: str,
    variant: str,
    checkpoints: dict[str, Path],
    roots: dict[str, Path],
    work: Path,
    tmp_path: Path,
) -> None:
    config = load(case + variant, roots, work)
    config.load_from = str(checkpoints[case])
    config.work_dir = str(tmp_path)
    config.test_evaluator.output_dir = str(tmp_path / 'predictions')
    metrics = Runner.from_cfg(config).test()
    assert metrics['val/images'] == 1
    assert metrics['val/failed'] == 0
    assert 0 <= metrics['val/mIoU'] <= 100
    labels = read_label_png(tmp_path / 'predictions/c.png')
    assert labels.shape == (SIDE, 80)
    assert labels.max() < (21 if case.startswith('voc') else 81)
    if variant:  # one mask: it has one label, and all else is background
        outside = np.ones_like(labels, bool)
        outside[16:48, 20:60] = False
        assert len(np.unique(labels[~outside])) == 1
        assert not labels[outside].any()


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('variant', ['', '_sams'])
def test_mmseg_predicts_a_picture_alone(
    case: str, variant: str, roots: dict[str, Path], work: Path
) -> None:
    """With random weights: of the shape that is asked for."""
    model = init_model(load(case + variant, roots, work), device='cpu')
    data, _, _ = case.partition('_')
    (photo,) = roots[data].rglob('c.jpg')
    made = inference_model(model, str(photo))
    assert made.pred_sem_seg.shape == (SIDE, 80)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('network', 'variant'), [(NETWORKS[0], '_sams'), (NETWORKS[1], '')]
)
def test_multi_scale(
    network: str,
    variant: str,
    checkpoints: dict[str, Path],
    roots: dict[str, Path],
    work: Path,
    tmp_path: Path,
) -> None:
    config = load(f'voc_{network}{variant}', roots, work)
    config.load_from = str(checkpoints[f'voc_{network}'])
    config.work_dir = str(tmp_path)
    config.test_evaluator.output_dir = str(tmp_path / 'predictions')
    config.test_dataloader.dataset.pipeline = config.tta_pipeline
    config.tta_model.module = config.model
    config.model = config.tta_model
    runner = Runner.from_cfg(config)
    (batch,) = runner.test_dataloader
    assert len(batch['inputs']) == 12  # six scales, each also flipped
    assert runner.test()['val/images'] == 1
    assert (tmp_path / 'predictions/c.png').is_file()


@pytest.mark.slow
@pytest.mark.parametrize('case', CASES)
def test_the_supervised_twin_trains_on_masks(
    case: str, roots: dict[str, Path], work: Path
) -> None:
    config = load(f'{case}_supervised', roots, work)
    runner = Runner.from_cfg(config)
    runner.train()
    dataset = runner.train_dataloader.dataset
    maps = [dataset.get_data_info(i)['seg_map_path'] for i in range(2)]
    assert all('SegmentationClass' in path for path in maps)
    assert (Path(config.work_dir) / 'iter_1.pth').is_file()


def test_the_flag_of_multi_scale_says_so(
    roots: dict[str, Path], work: Path
) -> None:
    set_augmentation = runpy.run_path(str(TEST_TOOL))['set_augmentation']
    config = load('voc_deeplabv3plus_r101_sams', roots, work)
    set_augmentation(config)
    assert config.model.type == 'RefinedSegTTAModel'
    assert config.model.module.type == 'RefinedSegmentor'
    assert config.test_evaluator.protocol == 'multi-scale and flip, SAMS'
    plain = Config.fromfile(CONFIGS / 'voc_seed.py')
    with pytest.raises(UserInputError, match='segmentor_pipelines'):
        set_augmentation(plain)


def test_weak_training_opens_no_ground_truth(
    roots: dict[str, Path], work: Path
) -> None:
    for case in CASES:
        config = load(case, roots, work)
        assert config.train_dataloader.dataset.type == 'PseudoLabelDataset'
        assert str(work) in config.train_dataloader.dataset.seed_dir
        assert config.train_cfg.val_interval >= 10**9


def samples(labels: list[torch.Tensor]) -> list[SegDataSample]:
    made = []
    for label in labels:
        sample = SegDataSample(
            metainfo=dict(
                img_shape=(SIDE, SIDE),
                ori_shape=(SIDE, SIDE),
                pad_shape=(SIDE, SIDE),
            )
        )
        sample.gt_sem_seg = PixelData(data=label[None])
        made.append(sample)
    return made


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('ignored', ['all', 'one of two'])
def test_a_crop_that_is_ignored_does_no_harm(
    network: str, ignored: str, roots: dict[str, Path], work: Path
) -> None:
    """Loss and gradients are finite; alone, such crops teach no mask."""
    config = load(f'voc_{network}', roots, work)
    torch.manual_seed(0)
    model = MODELS.build(config.model).train()
    optimizer = build_optim_wrapper(model, config.optim_wrapper)
    labels = [torch.full((SIDE, SIDE), 255) for _ in range(2)]
    if ignored != 'all':
        labels[1][:, :32] = 3
        labels[1][:, 32:] = 0
    losses = model.loss(torch.randn(2, 3, SIDE, SIDE), samples(labels))
    total, terms = model.parse_losses(losses)
    assert all(torch.isfinite(term).all() for term in terms.values())
    optimizer.update_params(total)
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter).all(), name
        if parameter.grad is not None:
            assert torch.isfinite(parameter.grad).all(), name
    if ignored == 'all':
        zero = ('ce', 'mask', 'dice')
        for name, term in terms.items():
            if name.split('_')[-1] in zero:
                assert float(term) == 0, name


@pytest.mark.slow
def test_the_full_size_resnet_takes_a_step(
    roots: dict[str, Path], work: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('VOC12_ROOT', str(roots['voc']))
        config = Config.fromfile(CONFIGS / 'voc_deeplabv3plus_r101.py')
    config.model.backbone.init_cfg = None
    model = MODELS.build(config.model).train()
    optimizer = build_optim_wrapper(model, config.optim_wrapper)
    before = model.decode_head.conv_seg.weight.detach().clone()
    labels = [torch.randint(0, 21, (SIDE, SIDE)) for _ in range(2)]
    losses = model.loss(torch.randn(2, 3, SIDE, SIDE), samples(labels))
    optimizer.update_params(model.parse_losses(losses)[0])
    assert not torch.equal(before, model.decode_head.conv_seg.weight)
    count = sum(p.numel() for p in model.parameters())
    assert 60e6 < count < 64e6  # DeepLabV3+ of ResNet-101 with its FCN head


def write_annotation(path: Path, labels: list[int]) -> None:
    """Image-level labels as VOC writes them: objects with boxes."""
    objects = ''.join(
        f'<object><name>{VOC12[label - 1]}</name></object>' for label in labels
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<annotation>{objects}</annotation>')


def copy_real_photos(source: Path, root: Path) -> list[str]:
    """Real photos of VOC and their masks into its layout."""
    names = sorted(p.stem for p in (source / 'JPEGImages').glob('*.jpg'))
    for name in names:
        photo = Image.open(source / f'JPEGImages/{name}.jpg')
        path = root / f'JPEGImages/{name}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        photo.save(path, quality=95)
        labels = read_label_png(source / f'SegmentationClass/{name}.png')
        write_palette_png(root / f'SegmentationClassAug/{name}.png', labels)
    return names


def draw_photos(root: Path) -> list[str]:
    """Noise with masks, in VOC's layout."""
    names = ['a', 'b']
    for label, name in enumerate(names, 1):
        path = root / f'JPEGImages/{name}.jpg'
        write_photo(path, np.random.default_rng(label))
        write_map(root / f'SegmentationClassAug/{name}.png', label)
    return names


@pytest.fixture(params=['drawn', 'real'])
def voc(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """VOC's layout with annotations and one list of pictures.

    Real photos are those of $MMFMWSSS_REAL_PHOTOS/voc3: JPEGImages and
    SegmentationClass of VOC 2012.
    """
    root = tmp_path / 'voc'
    source = Path(os.environ.get('MMFMWSSS_REAL_PHOTOS', '')) / 'voc3'
    if request.param == 'drawn':
        names = draw_photos(root)
    elif source.is_dir():
        names = copy_real_photos(source, root)
    else:
        pytest.skip('no real photos in $MMFMWSSS_REAL_PHOTOS/voc3')
    for name in names:
        labels = read_label_png(root / f'SegmentationClassAug/{name}.png')
        shown = sorted(set(np.unique(labels).tolist()) - {0, 255})
        write_annotation(root / f'Annotations/{name}.xml', shown)
    lists = root / 'ImageSets/Segmentation'
    lists.mkdir(parents=True)
    for split in ('train_aug', 'val'):
        (lists / f'{split}.txt').write_text('\n'.join(names))
    return root


@pytest.mark.slow
def test_the_route_of_voc(voc: Path, tmp_path: Path) -> None:
    """Annotations -> masks -> prompts -> seeds -> network, tiny models."""
    work, roots = tmp_path / 'work_dirs', dict(voc=voc)
    names = sorted(path.stem for path in (voc / 'Annotations').iterdir())

    config = read('voc_sam_masks', roots, work)
    tiny = Config.fromfile(CONFIGS / 'partworld_sam_masks.py')
    config.model.source = tiny.model.source
    assert Runner.from_cfg(config).test()['done'] == len(names)

    def prompts(name: str) -> Config:
        config = read(name, roots, work)
        tiny = Config.fromfile(CONFIGS / 'partworld_prompt.py')
        config.model.clip = tiny.model.clip
        config.train_dataloader.update(batch_size=2)
        for transform in config.train_dataloader.dataset.pipeline:
            if transform.type == 'RandomLongSideResize':
                transform.update(low=SIDE, high=2 * SIDE, min_short=SIDE)
            if transform.type == 'RandomCropWithMasks':
                transform.crop_size = SIDE
        config.train_cfg.max_epochs = 1
        return config

    config = prompts('voc_prompt')
    config.param_scheduler = None
    Runner.from_cfg(config).train()
    config = prompts('voc_seed')
    config.load_from = str(work / 'voc12/prompt/epoch_1.pth')
    assert Runner.from_cfg(config).test()['fine_seed/images'] == len(names)
    for name in names:
        labels = read_label_png(voc / f'SegmentationClassAug/{name}.png')
        seed = read_label_png(work / f'voc12/seed/fine_seed/{name}.png')
        assert seed.shape == labels.shape
        assert set(np.unique(seed)) <= set(np.unique(labels)) | {0}

    config = load('voc_deeplabv3plus_r101', roots, work)
    Runner.from_cfg(config).train()
    config = load('voc_deeplabv3plus_r101_sams', roots, work)
    config.load_from = str(work / 'voc12/deeplabv3plus_r101/iter_1.pth')
    metrics = Runner.from_cfg(config).test()
    assert metrics['val/images'] == len(names)
    assert 0 <= metrics['val/mIoU'] <= 100
