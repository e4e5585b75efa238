# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos to seeds in three lines, without a runner."""

import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmseg.registry import MODELS
from PIL import Image

from mmfmwsss.apis import (
    SeedFailure,
    SeedInferencer,
    SeedResult,
    seed_inferencer,
)
from mmfmwsss.apis.photo_models import build_tiny_seeder
from mmfmwsss.apis.photo_seed import GivenMasks
from mmfmwsss.apis.prompt_seeder import PromptSeeder
from mmfmwsss.models.masks.sam_mask_generator import MaskSource
from mmfmwsss.models.seeding import SAMS
from mmfmwsss.utils import UserInputError, read_config
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.utils.photos import read_rgb
from mmfmwsss.workshop.partworld.small_runs import (
    small_partworld_config,
    write_quarter_masks,
)
from mmfmwsss.workshop.tiny_models import random_clip_arch

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs' / 'fmwsss'
PROMPT_CONFIGS = sorted(
    path.stem
    for path in CONFIGS.glob('*.py')
    if re.search('_(prompt|seed|clip_es)', path.stem)
    and not path.stem.startswith('custom')
)


@pytest.fixture(scope='module')
def tiny(half_masks: MaskSource) -> SeedInferencer:
    return SeedInferencer(
        build_tiny_seeder(mask_source=half_masks), show_progress=False
    )


@pytest.fixture(scope='module')
def photos(partworld_root: Path) -> list[Path]:
    return sorted((partworld_root / 'JPEGImages').glob('train_*.jpg'))[:3]


def config_of(name: str, work: Path, data: Path | None = None) -> Config:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PARTWORLD_ROOT', str(data or work))
        return small_partworld_config(CONFIGS / f'{name}.py', work)


@pytest.fixture(scope='module')
def prompts(
    tmp_path_factory: pytest.TempPathFactory, half_masks: MaskSource
) -> SeedInferencer:
    """All routes of the seed config, with prompts that learnt nothing."""
    work = tmp_path_factory.mktemp('prompts')
    config = config_of('partworld_seed', work)
    with DefaultScope.overwrite_default_scope('mmseg'):
        state = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=state), work / 'prompts.pth')
    return SeedInferencer(
        config,
        work / 'prompts.pth',
        mask_source=half_masks,
        device='cpu',
        show_progress=False,
    )


def test_one_photo(tiny: SeedInferencer, photos: list[Path]) -> None:
    """The result is that of the seeder, as arrays of numpy."""
    assert isinstance(tiny, BaseInferencer)
    found = tiny(photos[0], tags=['car', 'house'])
    result = found['predictions']
    image = read_rgb(photos[0])
    expected = tiny.seeder(image, ['car', 'house'])
    assert isinstance(result, SeedResult) and found['failures'] == {}
    np.testing.assert_array_equal(result.seed, expected.seed.numpy())
    np.testing.assert_array_equal(result.cams, expected.cams.numpy())
    assert result.masks.shape == (2, *image.shape[:2])
    assert result.mask_levels.tolist() == [2, 2]
    assert result.decisions['scores'].shape == (2, 3)
    assert result.shares == {
        'car': (result.seed == 1).mean(),
        'house': (result.seed == 2).mean(),
    }
    assert found['visualization'] is result.overlay
    assert result.path == str(photos[0]) and result.name == photos[0].stem
    assert 'car' in repr(result)
    assert result._repr_png_().startswith(b'\x89PNG')


def test_several_photos_and_one_that_fails(
    tiny: SeedInferencer, photos: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'no photo')
    array = read_rgb(photos[1])[..., ::-1]
    inputs = [photos[0], broken, array, Image.open(photos[2])]
    found = tiny(inputs, tags=['car'], batch_size=2)
    assert [p and p.name for p in found['predictions']] == [
        photos[0].stem, None, '00000002', photos[2].stem,
    ]  # fmt: skip
    assert found['visualization'][1] is None
    assert list(found['failures']) == ['broken']
    by_path = tiny(photos[1], tags=['car'])['predictions']
    np.testing.assert_array_equal(found['predictions'][2].seed, by_path.seed)
    with pytest.raises(UserInputError, match='broken'):
        tiny(broken, tags=['car'])


def test_photos_one_by_one_with_their_own_tags_and_masks(
    tiny: SeedInferencer, photos: list[Path], half_masks: MaskSource
) -> None:
    image = read_rgb(photos[0])
    masks = [None, [dict(segmentation=np.ones((2, 2)))], half_masks(image)]
    kinds = list(
        tiny.iterate(photos, tags=[['car'], ['tree'], None], masks=masks)
    )
    assert isinstance(kinds[0], SeedResult) and kinds[0].tags == ('car',)
    assert isinstance(kinds[1], SeedFailure)
    assert 'must be of the image' in kinds[1].message
    assert 'SeedFailure' in repr(kinds[1])
    assert len(kinds) == 3


def test_files_are_named_after_the_photo(
    tiny: SeedInferencer, photos: list[Path], tmp_path: Path
) -> None:
    tags = {photos[0].stem: ['car', 'tall house'], photos[1].name: ['boat']}
    found = tiny(photos[:2], tags=tags, out_dir=tmp_path)
    one, other = (path.stem for path in photos[:2])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f'{one}_cam_car.jpg', f'{one}_cam_tall_house.jpg']
        + [f'{other}_cam_boat.jpg']
        + [
            f'{name}_{end}'
            for name in (one, other)
            for end in ('overlay.jpg', 'seed.png', 'why.png')
        ]
    )
    np.testing.assert_array_equal(
        read_label_png(tmp_path / f'{one}_seed.png'),
        found['predictions'][0].seed,
    )
    with pytest.raises(UserInputError, match='several are called'):
        tiny([photos[0]] * 2, tags=['car'], out_dir=tmp_path)


def test_windows_and_data_samples(
    tiny: SeedInferencer,
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = []
    monkeypatch.setattr(
        seed_inferencer, 'show_picture', lambda *rest: shown.append(rest)
    )
    found = tiny(
        photos[0],
        return_datasamples=True,
        tags=['car'],
        show=True,
        wait_time=1,
    )
    sample = found['predictions']
    assert sample.pred_sem_seg.data.shape == (1, *sample.ori_shape)
    assert sample.cams.data.shape == (1, *sample.ori_shape)
    assert len(sample.sam_masks) == 2 and sample.tags == ('car',)
    ((picture, name, wait),) = shown
    assert picture is found['visualization']
    assert (name, wait) == (photos[0].stem, 1)


def test_arguments_of_no_method_are_refused(
    tiny: SeedInferencer, photos: list[Path]
) -> None:
    with pytest.raises(ValueError, match='colour'):
        tiny(photos[0], colour='red')
    with pytest.raises(UserInputError, match='1 or more, but got 0'):
        tiny(photos[0], batch_size=0)


def test_a_config_seeds_as_its_model_does(
    prompts: SeedInferencer, photos: list[Path]
) -> None:
    """Labels are those of the classes, whatever the order of the tags."""
    found = prompts(photos, tags=['house', 'Car'], batch_size=3)
    one = prompts(photos[0], tags=['car', 'house'])['predictions']
    result = found['predictions'][0]
    np.testing.assert_array_equal(result.seed, one.seed)
    assert (result.tags, result.labels) == (('car', 'house'), (1, 5))
    assert set(np.unique(result.seed)) <= {0, 1, 5}
    expected = SAMS()(result.cams, [0, 4], result.masks)
    np.testing.assert_array_equal(result.seed, expected)
    assert sum(result.scores.values()) == pytest.approx(1, abs=1e-4)
    assert len(result.scores) == 12 + 8
    assert set(result.seconds) == {'masks', 'seed'}


def test_seeds_are_those_of_a_test_run(
    partworld_root: Path, photos: list[Path], tmp_path: Path
) -> None:
    """The runner's way: data set, data loader, all routes at once."""
    config = config_of('partworld_seed', tmp_path, partworld_root)
    masks = tmp_path / 'sam_masks'
    write_quarter_masks(partworld_root / 'JPEGImages', masks)
    model = MODELS.build(config.model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'prompts.pth')
    loader = Runner.build_dataloader(config.test_dataloader)
    samples = [model.test_step(batch)[0] for batch in islice(loader, 2)]
    for route in ('fine_seed', 'cam_caa'):
        inferencer = SeedInferencer(
            config,
            tmp_path / 'prompts.pth',
            route,
            'cpu',
            show_progress=False,
            mask_source=GivenMasks(),
        )
        for sample in samples:
            present = sample.image_labels.nonzero()[:, 0].tolist()
            found = inferencer(
                sample.img_path,
                tags=[inferencer.seeder.classes[n] for n in present],
                masks=masks,
            )
            np.testing.assert_array_equal(
                found['predictions'].seed, sample.get(route).data[0].numpy()
            )


@pytest.mark.slow
@pytest.mark.parametrize('name', PROMPT_CONFIGS)
def test_every_route_of_every_config(
    name: str, tmp_path: Path, half_masks: MaskSource
) -> None:
    """On a small CLIP with random weights, from an array and its masks."""
    config = read_config(CONFIGS / f'{name}.py')
    config.model.clip = dict(
        type='FrozenCLIP', arch=random_clip_arch(), attention_layers=2
    )
    state = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=state), tmp_path / 'prompts.pth')
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 32:] = (90, 200, 30)
    for route in config.model.routes:
        inferencer = SeedInferencer(
            config,
            tmp_path / 'prompts.pth',
            route,
            'cpu',
            show_progress=False,
            mask_source=half_masks,
        )
        tag = inferencer.seeder.classes[-1]
        result = inferencer(image, tags=[tag])['predictions']
        assert result.tags == (tag,)
        assert set(np.unique(result.seed)) <= {0, *result.labels, 255}


def test_views_of_arrays_are_photos(
    prompts: SeedInferencer, photos: list[Path]
) -> None:
    """BGR turned by a slice, and an array that nobody may write to."""
    image = read_rgb(photos[0])
    expected = prompts.seeder(image, ['car']).seed
    turned = np.ascontiguousarray(image[..., ::-1])[..., ::-1]
    fixed = image.copy()
    fixed.flags.writeable = False
    for view in (turned, fixed):
        assert torch.equal(prompts.seeder(view, ['car']).seed, expected)


def test_wrong_tags_stop_one_photo_only(
    prompts: SeedInferencer, photos: list[Path]
) -> None:
    tags = [['car'], ['bout'], ['tree']]
    found = prompts(photos, tags=tags, batch_size=3)
    assert list(found['failures']) == [photos[1].stem]
    (message,) = found['failures'].values()
    assert "'bout'. Is `boat` meant?" in message
    assert [p and p.tags for p in found['predictions']] == [
        ('car',), None, ('tree',),
    ]  # fmt: skip


def test_a_config_names_what_scores(
    prompts: SeedInferencer,
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = prompts(photos[0])['predictions']
    ranked = [n for n in result.scores if n in prompts.seeder.classes]
    assert set(result.tags) <= set(ranked[:3])
    assert all(result.scores[tag] >= 0.1 for tag in result.tags)
    monkeypatch.setattr('mmfmwsss.apis.photo_tags._LEAST_SCORE', 1.1)
    with pytest.raises(UserInputError, match='Say what the photo shows'):
        prompts(photos[0])


def test_manual_prompts_need_no_checkpoint_and_routes_are_chosen(
    photos: list[Path], tmp_path: Path
) -> None:
    config = config_of('partworld_manual_prompt', tmp_path)
    config.model.routes.cam = dict(
        stream='manual', use_caa=False, seeder=dict(type='ArgmaxSeeder')
    )
    config.model.routes.crf = dict(
        stream='manual',
        use_caa=False,
        seeder=dict(type='DenseCRF', backend='torch', iterations=1),
    )
    config.model.main_route = 'fine_seed'
    for route in ('cam', 'crf'):
        result = SeedInferencer(
            config, route=route, device='cpu', show_progress=False
        )(read_rgb(photos[0]), tags=['car'], channel_order='rgb')
        seed = result['predictions']
        assert set(np.unique(seed.seed)) <= {0, 1} and seed.seed.any()
        assert len(seed.masks) == 0  # none were made
    with pytest.raises(UserInputError, match="'crf'.* but got 'best'"):
        SeedInferencer(config, route='best')


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_a_gpu_makes_the_same_maps(photos: list[Path]) -> None:
    found = []
    for device in ('cpu', 'cuda'):
        inferencer = SeedInferencer('tiny', device=device)
        found.append(inferencer(photos[0], tags=['car'])['predictions'])
    np.testing.assert_allclose(
        found[0].cams, found[1].cams, rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize(
    'name',
    [
        'mmfmwsss::fmwsss/partworld_manual_prompt.py',
        'mmfmwsss::fmwsss/partworld_manual_prompt',
        'fmwsss/partworld_manual_prompt',
        'configs/fmwsss/partworld_manual_prompt.py',
    ],
)
def test_a_config_by_its_name(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    half_masks: MaskSource,
) -> None:
    """As the commands take it, and in a folder where no file has it."""
    monkeypatch.chdir(tmp_path)
    seeder = SeedInferencer(name, mask_source=half_masks).seeder
    assert isinstance(seeder, PromptSeeder)
    assert seeder.classes[0] == 'car'


def test_a_config_that_tests_two_data_sets(
    tmp_path: Path, half_masks: MaskSource
) -> None:
    config = config_of('partworld_manual_prompt', tmp_path)
    inner = config.test_dataloader.dataset
    config.test_dataloader.dataset = dict(
        type='ConcatDataset', datasets=[inner, inner]
    )
    plain = config_of('partworld_manual_prompt', tmp_path)
    found = [
        SeedInferencer(one, mask_source=half_masks, device='cpu').seeder
        for one in (config, plain)
    ]
    assert repr(found[0].pipeline) == repr(found[1].pipeline)


def test_a_background_is_no_tag(
    tiny: SeedInferencer,
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It competes all the same: what is left for classes must suffice."""
    ranking = dict(sea=0.7, boat=0.15, bird=0.1, room=0.05)
    monkeypatch.setattr(tiny.seeder, 'rank', lambda image: ranking)
    found = tiny(photos[0])['predictions']
    assert found.tags and set(found.tags) <= {'boat', 'bird'}
    ranking.update(sea=0.85, boat=0.05, bird=0.05)
    with pytest.raises(UserInputError, match=r'the best are boat 0\.05'):
        tiny(photos[0])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    config = config_of('partworld_seed', tmp_path)
    with pytest.raises(UserInputError, match=r'tools/train\.py configs'):
        SeedInferencer(config)
    with pytest.raises(UserInputError, match="one of photo, tiny.* 'tinny'"):
        SeedInferencer('tinny')
    with pytest.raises(UserInputError, match='which learns nothing'):
        SeedInferencer('tiny', weights='prompts.pth')
    with pytest.raises(UserInputError, match='MMSegInferencer'):
        SeedInferencer(CONFIGS / 'partworld_deeplabv3plus.py')
    with pytest.raises(UserInputError, match='Expected `mask_source`'):
        SeedInferencer('tiny', mask_source=3)


def test_masks_of_a_config_or_of_a_source(photos: list[Path]) -> None:
    source = dict(type='FelzenszwalbSuperpixels')
    inferencer = SeedInferencer(
        'tiny', mask_source=source, device='cpu', show_progress=False
    )
    result = inferencer(photos[0], tags=['car'])['predictions']
    assert len(result.masks) > 1
    file = CONFIGS / 'voc_superpixel_masks.py'
    other = SeedInferencer('tiny', mask_source=file, device='cpu')
    kind = type(inferencer.seeder.mask_source)
    assert isinstance(other.seeder.mask_source, kind)
