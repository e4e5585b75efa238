# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The folder that the page writes is one that the configs read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmseg.registry import DATASETS
from PIL import Image

from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.class_tables import get_class_prompts
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.app import TrainingFolder


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    made = TrainingFolder(tmp_path, ['wall', 'sea'])
    made.images.mkdir()
    for name in ('a.jpg', 'b.png', 'c.jpg'):
        Image.new('RGB', (6, 4)).save(made.images / name)
    return made


def finish(folder: TrainingFolder, name: str, *tags: str) -> None:
    """Tag a photo; pixel i of its first row is of tag i."""
    folder.set_tags(name, tags)
    folder.write_masks(name, SAMMasks.empty((4, 6)), '', '')
    seed = np.zeros((4, 6), int)
    seed[0, : len(tags)] = range(1, len(tags) + 1)
    folder.write_seed(name, seed)


def row_of(folder: TrainingFolder, name: str) -> list[int]:
    return read_label_png(folder.seed_path(name))[0, :3].tolist()


def test_seeds_have_the_numbers_of_the_classes(folder: TrainingFolder) -> None:
    finish(folder, 'a.jpg', 'cat')
    finish(folder, 'b.png', 'sofa', 'cat')
    assert folder.classes == ('cat', 'sofa')
    assert row_of(folder, 'a.jpg') == [1, 0, 0]
    assert row_of(folder, 'b.png') == [2, 1, 0]
    assert folder.finished == ['a.jpg', 'b.png']
    text = folder.label_file.read_text()
    assert text == 'image,tags\na.jpg,cat\nb.png,sofa,cat\n'


def test_a_slip_that_is_mended_leaves_no_class(folder: TrainingFolder) -> None:
    finish(folder, 'a.jpg', 'kat')
    finish(folder, 'b.png', 'sofa')
    finish(folder, 'a.jpg', 'cat')
    assert folder.classes == ('sofa', 'cat')
    assert row_of(folder, 'b.png') == [1, 0, 0]  # it was 2
    assert row_of(folder, 'a.jpg') == [2, 0, 0]


def test_other_tags_delete_the_seed(folder: TrainingFolder) -> None:
    finish(folder, 'a.jpg', 'cat')
    folder.set_tags('a.jpg', ['cat', 'sofa'])
    assert folder.finished == []
    assert not folder.seed_path('a.jpg').exists()


def test_a_folder_is_taken_up(folder: TrainingFolder) -> None:
    finish(folder, 'a.jpg', 'cat')
    again = TrainingFolder(folder.root, ['other'])
    assert again.tags == {'a.jpg': ('cat',)}
    assert again.finished == ['a.jpg']
    # What was there at the start stays
    again.set_tags('a.jpg', ['dog'])
    assert again.classes == ('cat', 'dog')
    assert get_class_prompts(str(folder.class_file)).background == (
        'wall',
        'sea',
    )


def test_own_wordings_are_kept(folder: TrainingFolder) -> None:
    folder.class_file.write_text(
        'classes: {cat: [kitten], mug: coffee mug}\nbackground: [wall, dog]\n'
    )
    folder.label_file.write_text('image,tags\nc,cat;mug\n')
    again = TrainingFolder(folder.root, [])
    assert again.tags == {'c.jpg': ('cat', 'mug')}
    again.set_tags('a.jpg', ['dog'])
    prompts = get_class_prompts(str(folder.class_file))
    assert prompts.classes == ('cat', 'mug', 'dog')
    assert prompts.foreground == ('cat,kitten', 'coffee mug', 'dog')
    assert prompts.background == ('wall',)  # a dog is a class now


def test_tags_that_cannot_be_classes_change_nothing(
    folder: TrainingFolder,
) -> None:
    finish(folder, 'a.jpg', 'cat')
    before = folder.class_file.read_text()
    with pytest.raises(UserInputError, match='at most 254 classes'):
        folder.set_tags('b.png', [f'thing {i}' for i in range(300)])
    assert folder.class_file.read_text() == before
    assert folder.tags == {'a.jpg': ('cat',)}
    assert folder.finished == ['a.jpg']


def test_removal_leaves_nothing(folder: TrainingFolder) -> None:
    finish(folder, 'a.jpg', 'cat')
    folder.remove('a.jpg')
    assert folder.photos == ['b.png', 'c.jpg']
    assert not folder.class_file.exists()
    assert not list(folder.root.rglob('a.*'))


def test_the_data_sets_of_the_configs_read_it(folder: TrainingFolder) -> None:
    finish(folder, 'a.jpg', 'cat')
    finish(folder, 'b.png', 'sofa', 'cat')
    general = dict(
        class_prompts=str(folder.class_file),
        data_root=str(folder.root),
        image_dir='images',
        image_suffix=('.jpg', '.png'),
    )
    labelled = DATASETS.build(
        dict(
            general,
            type='ImageLabelDataset',
            label_file='image_labels.csv',
            pipeline=[dict(type='LoadSAMMasks', mask_dir=folder.mask_dir)],
        )
    )
    records = [labelled.get_data_info(i) for i in range(len(labelled))]
    labels = [np.asarray(r['image_labels']).tolist() for r in records]
    assert labels == [[1, 0], [1, 1]]
    seeds = DATASETS.build(
        dict(
            general,
            type='PseudoLabelDataset',
            seed_dir=str(folder.seed_dir),
            max_missing=0.5,
            pipeline=[
                dict(type='LoadImageStrict'),
                dict(type='LoadAnnotations'),
                dict(type='PackSegInputs'),
            ],
        )
    )
    found = [
        torch.unique(seeds[i]['data_samples'].gt_sem_seg.data).tolist()
        for i in range(len(seeds))
    ]
    assert found == [[0, 1], [0, 1, 2]]
