# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Teacher, student and a few steps of training on drawn photos."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmfmwsss.models.clip import FrozenCLIP, build_photo_clip
from mmfmwsss.models.clip.efficientnet_stem import build_efficientnet
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.photo_clip import (
    PhotoFeatures,
    Settings,
    Student,
    Teacher,
    Trainer,
    build_student,
    build_vocabulary,
    draw_batches,
    find_photos,
    read_photo,
    train,
)

PHOTOS = 6
FEW = Settings(steps=2, batch=4, other_names=8, places=3, maps=2)


@pytest.fixture(scope='module')
def teacher() -> Teacher:
    """With random weights, made lively by statistics of its own."""
    torch.manual_seed(0)
    return Teacher(build_efficientnet(32).state_dict())


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('photos')
    rng = np.random.default_rng(0)
    (folder / 'more').mkdir()
    for number in range(PHOTOS):
        pixels = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        place = folder / 'more' if number % 2 else folder
        Image.fromarray(pixels).save(place / f'{number}.png')
    return folder


@pytest.fixture(scope='module')
def known(
    folder: Path, teacher: Teacher, tmp_path_factory: pytest.TempPathFactory
) -> PhotoFeatures:
    cache = tmp_path_factory.mktemp('cache')
    return PhotoFeatures.compute(find_photos([folder]), teacher, cache)


def _train(known: PhotoFeatures, teacher: Teacher) -> Student:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    student = build_student(known.features)
    trainer = Trainer(student, teacher, build_vocabulary(), FEW, rng)
    losses = train(trainer, draw_batches(known, teacher, FEW, rng))
    assert losses.keys() == {'contrast', 'places', 'cams', 'attention'}
    assert all(np.isfinite(list(losses.values())))
    return student


@pytest.fixture(scope='module')
def student(known: PhotoFeatures, teacher: Teacher) -> Student:
    return _train(known, teacher)


def test_photos_of_all_levels_are_found(folder: Path, tmp_path: Path) -> None:
    names = [p.name for p in find_photos([folder])]
    assert sorted(names) == [f'{n}.png' for n in range(PHOTOS)]
    with pytest.raises(UserInputError, match='found none'):
        find_photos([tmp_path])


def test_teacher_is_the_classifier(
    folder: Path, teacher: Teacher, known: PhotoFeatures
) -> None:
    images = torch.stack([read_photo(p) for p in find_photos([folder])[:2]])
    logits = torch.from_numpy(np.array(known.logits[:2]))
    torch.testing.assert_close(
        teacher.classifier(images), logits, rtol=1e-4, atol=1e-5
    )
    features, _ = teacher(images)
    hidden = teacher.head(features.flatten(2).transpose(1, 2))
    torch.testing.assert_close(
        teacher.classify(hidden.mean(dim=1)),
        teacher.dilated(images),
        rtol=1e-4,
        atol=1e-5,
    )


def test_features_are_computed_once(
    folder: Path, known: PhotoFeatures, tmp_path: Path
) -> None:
    photos = find_photos([folder])
    none = torch.nn.Module()  # fails when it is asked
    with pytest.raises(NotImplementedError):
        PhotoFeatures.compute(photos, none, tmp_path)
    teacher = torch.nn.Module()
    teacher.forward = lambda images: (
        torch.ones(len(images), 352, 16, 16),
        torch.zeros(len(images), 1000),
    )
    first = PhotoFeatures.compute(photos, teacher, tmp_path)
    again = PhotoFeatures.compute(photos, none, tmp_path)
    assert np.array_equal(first.features, again.features)
    assert np.array_equal(first.logits, again.logits)


def test_the_frozen_clip_sees_what_the_student_saw(
    folder: Path, known: PhotoFeatures, teacher: Teacher, student: Student
) -> None:
    model = build_photo_clip(None)
    model.load_state_dict(
        {k: v.float() for k, v in student.shipped_state().items()},
        strict=False,
    )
    model.visual.conv1.load_trunk(teacher.dilated.state_dict())
    clip = FrozenCLIP('photo_clip')
    clip.model = model.eval().requires_grad_(False)
    images = torch.stack([read_photo(p) for p in find_photos([folder])[:2]])
    features = clip.encode_trunk(images)
    embedding = clip.run_last_block(features).embedding
    with torch.no_grad():
        seen, _ = teacher(images)
        towers = student(seen, torch.ones(2, 1, 1))
    expected = towers.places.mean(dim=1)
    # The weights were rounded to fp16.
    torch.testing.assert_close(embedding, expected, rtol=0.02, atol=0.02)
    attention = torch.stack(towers.attention).mean(dim=0)[:, 1:, 1:]
    torch.testing.assert_close(
        features.attention, attention, rtol=0.05, atol=1e-4
    )


def test_a_run_goes_on_where_another_ended(
    known: PhotoFeatures, student: Student
) -> None:
    other = build_student(known.features)
    other.load_shipped(student.shipped_state())
    for name, value in student.model.state_dict().items():
        torch.testing.assert_close(
            other.model.state_dict()[name], value, rtol=2e-3, atol=2e-3
        )


def test_the_same_seed_gives_the_same_weights(
    known: PhotoFeatures, teacher: Teacher, student: Student
) -> None:
    again = _train(known, teacher).shipped_state()
    for name, value in student.shipped_state().items():
        assert torch.equal(value, again[name]), name
