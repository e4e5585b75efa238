# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One photo and its tags to a seed, without a runner."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config

from mmfmwsss.apis.photo_models import (
    build_photo_seeder,
    build_tiny_seeder,
)
from mmfmwsss.apis.seed_one_photo import (
    NoClearNameError,
    PhotoSeeder,
    PhotoSettings,
    choose_tags,
)
from mmfmwsss.models.clip import FrozenCLIP, ManualPrompts, encode_names
from mmfmwsss.models.masks import SAMEverything
from mmfmwsss.models.masks.sam_mask_generator import MaskSource
from mmfmwsss.models.seeding import SAMS
from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.class_prompts import ClassPrompts
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.photos import read_rgb
from mmfmwsss.workshop.tiny_models import random_clip

ROOT = Path(__file__).parents[2]
NAMES = ('cat', 'sofa', 'wall', 'sea')
SETTINGS = PhotoSettings(
    NAMES, ('wall', 'sea'), side=32, naming_side=32, least_score=0.0
)


@pytest.fixture(scope='module')
def seeder(half_masks: MaskSource) -> PhotoSeeder:
    return PhotoSeeder(random_clip(), half_masks, SETTINGS)


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3))
    return pixels.astype(np.uint8)


def test_seed_is_that_of_sams_on_its_own_maps_and_masks(
    seeder: PhotoSeeder, image: np.ndarray, half_masks: MaskSource
) -> None:
    result = seeder(image, ['cat', 'sofa'])
    maps, scores = seeder.make_cams(image, ['cat', 'sofa'])
    assert maps.shape == (2, 48, 64)
    torch.testing.assert_close(result.cams, maps)
    expected = SAMS(alpha=0.6)(maps, torch.arange(2), half_masks(image))
    assert torch.equal(result.seed, expected)
    assert set(scores) == set(NAMES)  # backgrounds compete
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert set(result.seconds) == {'cams', 'masks', 'seed'}


def test_features_made_before_give_the_same_seed(
    seeder: PhotoSeeder, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = seeder.encode(image)
    expected = seeder(image, ['cat', 'sofa'])
    # The trunk does not run again.
    monkeypatch.delattr(FrozenCLIP, 'encode_trunk')
    result = seeder(image, ['cat', 'sofa'], expected.masks, features)
    torch.testing.assert_close(result.cams, expected.cams)
    assert torch.equal(result.seed, expected.seed)


def test_order_of_tags_changes_numbers_only(
    seeder: PhotoSeeder, image: np.ndarray
) -> None:
    one, other = seeder(image, ['cat', 'sofa']), seeder(image, ['sofa', 'cat'])
    swapped = torch.tensor([0, 2, 1], dtype=torch.uint8)[one.seed.long()]
    assert torch.equal(swapped, other.seed)


def test_ranking_is_the_softmax_of_cosine_similarities(
    seeder: PhotoSeeder, image: np.ndarray
) -> None:
    ranking = seeder.rank(image)
    clip = seeder.clip
    pixels = torch.from_numpy(seeder_inputs(image)).permute(2, 0, 1)[None]
    visual = clip.encode_trunk((pixels.float() - 127) / 128)
    embedding = clip.run_last_block(visual).embedding
    text = encode_names(clip, NAMES, SETTINGS.templates)
    logits = clip.scale * F.normalize(embedding, dim=1) @ text.T
    expected = dict(zip(NAMES, logits.softmax(1)[0].tolist(), strict=True))
    assert ranking == pytest.approx(expected, abs=1e-5)


def seeder_inputs(image: np.ndarray) -> np.ndarray:
    """48 x 64 at a long side of 32, in patches of 8: 24 x 32."""
    return cv2.resize(image, (32, 24), interpolation=cv2.INTER_AREA)


def test_names_are_encoded_as_manual_prompts_do(seeder: PhotoSeeder) -> None:
    prompts = ClassPrompts(NAMES[:2], NAMES[:2], NAMES[2:])
    templates = ('a photo of a {}.', 'a {}')
    manual = ManualPrompts(seeder.clip, prompts, templates)(seeder.clip)
    torch.testing.assert_close(
        encode_names(seeder.clip, NAMES, templates), manual
    )


def test_without_tags_the_best_names_are_taken(
    seeder: PhotoSeeder, image: np.ndarray
) -> None:
    result = seeder(image)
    assert result.tags[0] == next(iter(seeder.rank(image)))
    assert len(result.tags) <= SETTINGS.most_tags
    strict = PhotoSeeder(
        seeder.clip,
        seeder.mask_source,
        PhotoSettings(NAMES, ('wall',), side=32, least_score=1.1),
    )
    with pytest.raises(NoClearNameError, match=r'the best are \w+ 0\.'):
        strict(image)


def test_choice_takes_each_thing_once() -> None:
    scores = {'cat': 0.5, 'tabby': 0.3, 'sofa': 0.15, 'sea': 0.01}
    text = torch.tensor([[1.0, 0], [0.8, 0.6], [0, 1], [0, -1]])
    settings = PhotoSettings(tuple(scores), ())
    assert choose_tags(scores, text, settings) == ('cat', 'sofa')
    one = PhotoSettings(tuple(scores), (), most_tags=1)
    assert choose_tags(scores, text, one) == ('cat',)


def test_unknown_tags_are_named(seeder: PhotoSeeder) -> None:
    assert seeder.unknown(['Cat', 'unicorn']) == ['unicorn']


@pytest.mark.parametrize('tags', ['cat', [], [' '], ['x'] * 2 + [''], [3]])
def test_tags_that_are_none_are_refused(
    seeder: PhotoSeeder, image: np.ndarray, tags: object
) -> None:
    with pytest.raises(UserInputError, match='Expected `tags` to be a list'):
        seeder(image, tags)


def test_a_picture_of_another_kind_is_refused(seeder: PhotoSeeder) -> None:
    with pytest.raises(UserInputError, match=r'float64 of \(4, 4\)'):
        seeder(np.zeros((4, 4)), ['cat'])


def test_masks_may_be_given(seeder: PhotoSeeder, image: np.ndarray) -> None:
    none = SAMMasks(
        torch.zeros(0, 48, 64, dtype=torch.bool),
        torch.zeros(0, dtype=torch.int64),
        torch.zeros(0),
        torch.zeros(0),
    )
    result = seeder(image, ['cat'], none)
    assert int(result.seed.sum()) == 0
    half = seeder.mask_source(image)
    records = [dict(segmentation=mask.numpy()) for mask in half.masks]
    expected = seeder(image, ['cat']).seed
    assert torch.equal(seeder(image, ['cat'], records).seed, expected)
    with pytest.raises(UserInputError, match=r'\(48, 64\).* got \(2, 2\)'):
        seeder(image, ['cat'], np.ones((1, 2, 2)))


def test_missing_weights_name_the_command(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv('MOBILE_SAM', raising=False)
    with pytest.raises(
        UserInputError,
        match=r'tools/get_weights\.py mobile_sam efficientnet_lite2',
    ):
        build_photo_seeder(tmp_path)


def test_tiny_seeder_is_that_of_the_configs() -> None:
    """Same architecture, settings of the masks and CLIP as in the configs."""
    base = ROOT / 'configs' / '_base_' / 'models'
    sam = dict(Config.fromfile(base / 'sam_tiny.py').sam)
    sam.pop('type')
    model = Config.fromfile(base / 'clip_prompts_tiny.py').prompt_model
    seeder = build_tiny_seeder()
    expected = SAMEverything(**sam)
    assert seeder.mask_source.settings() == expected.settings()
    clip = FrozenCLIP(**model.clip)
    for name, weight in clip.state_dict().items():
        assert torch.equal(seeder.clip.state_dict()[name], weight), name


def test_tiny_models_find_a_drawn_thing(partworld_root: Path) -> None:
    """What PartWorld's list says is drawn gets some of the picture."""
    line = (partworld_root / 'image_labels.txt').read_text().split('\n')[0]
    name, *tags = line.split()
    image = read_rgb(partworld_root / f'JPEGImages/{name}.jpg')
    seed = build_tiny_seeder()(image, tags).seed
    assert seed.shape == image.shape[:2]
    assert 0 < (seed > 0).float().mean() < 0.9
