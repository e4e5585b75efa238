# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""mmseg's settings of a data set mean here what they mean there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.dataset import BaseDataset
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS
from PIL import Image

from mmfmwsss.structures.class_tables import get_class_prompts
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png

PROMPTS = dict(classes=['cat', 'dog', 'cow'], background=['floor'])
NAMES = get_class_prompts(PROMPTS)
COLOURS = [list(colour) for colour in NAMES.palette]
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
OURS = ('PseudoLabelDataset', 'GroundTruthDataset', 'VOC12SegDataset')
SETTINGS: dict[str, dict[str, Any]] = dict(
    plain={},
    subset=dict(metainfo=dict(classes=['background', 'dog'])),
    order=dict(metainfo=dict(classes=('cow', 'background', 'cat'))),
    no_background=dict(metainfo=dict(classes=('cat', 'dog', 'cow'))),
    zero=dict(reduce_zero_label=True),
    zero_subset=dict(
        reduce_zero_label=True, metainfo=dict(classes=('cow', 'cat'))
    ),
    colours=dict(metainfo=dict(palette=[[9, 9, 9]] * 4)),
    first=dict(indices=2),
    some=dict(indices=[1, 3]),
    filtered=dict(filter_cfg=dict(filter_empty_gt=True)),
    split=dict(ann_file='split.txt'),
    lazy=dict(lazy_init=True),
)


class Theirs(BaseSegDataset):
    """mmseg's own, of the same classes."""

    METAINFO = dict(classes=NAMES.labels, palette=COLOURS)


class TheirsWithoutZero(BaseSegDataset):
    """The same, where label 0 is to be ignored."""

    METAINFO = dict(classes=NAMES.classes, palette=COLOURS[1:])


@pytest.fixture(scope='module')
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures with masks of two labels each, and a list of two."""
    folder = tmp_path_factory.mktemp('as_mmseg')
    (folder / 'photos').mkdir()
    for number in range(4):
        Image.new('RGB', (6, 4)).save(folder / f'photos/p{number}.jpg')
        labels = np.full((4, 6), number)
        labels[:2] = (number + 1) % 4
        labels[0, 0] = 255
        write_palette_png(folder / f'masks/p{number}.png', labels)
    (folder / 'split.txt').write_text('p2\np1\n')
    return folder


def build(
    kind: str | type, root: Path, settings: Mapping[str, Any], **more: Any
) -> Any:
    config = dict(
        dict(
            type=kind,
            data_root=str(root),
            data_prefix=dict(img_path='photos', seg_map_path='masks'),
            pipeline=PIPELINE,
            ann_file='',
            **more,
        ),
        **settings,
    )
    return DATASETS.build(config)


def ours(kind: str, root: Path, **settings: Any) -> Any:
    more = dict(image_list=None) if kind.startswith('VOC') else {}
    return build(kind, root, settings, class_prompts=PROMPTS, **more)


def maps(dataset: BaseDataset) -> list[np.ndarray]:
    return [item['data_samples'].gt_sem_seg.data.numpy() for item in dataset]


@pytest.mark.parametrize('kind', OURS)
@pytest.mark.parametrize('name', SETTINGS)
def test_the_same_labels(kind: str, name: str, root: Path) -> None:
    settings = SETTINGS[name]
    reduced = settings.get('reduce_zero_label')
    theirs = build(TheirsWithoutZero if reduced else Theirs, root, settings)
    own = ours(kind, root, **settings)
    for key in ('classes', 'palette'):
        found, expected = own.metainfo[key], theirs.metainfo[key]
        assert list(found) == list(expected)
        assert own.METAINFO[key] == theirs.METAINFO[key]
    assert own.metainfo['label_map'] == theirs.metainfo['label_map']
    assert own.metainfo['reduce_zero_label'] == bool(reduced)
    if name == 'lazy':
        assert not own.data_list
        own.full_init()
        theirs.full_init()
    assert len(own) == len(theirs)
    for number in range(len(own)):
        record, expected = (d.get_data_info(number) for d in (own, theirs))
        for key, value in expected.items():
            assert record[key] == value, key
    for found, truth in zip(maps(own), maps(theirs), strict=True):
        assert np.array_equal(found, truth)


@pytest.mark.parametrize('name', ['plain', 'subset', 'zero_subset'])
def test_categories_are_the_labels_of_training(name: str, root: Path) -> None:
    dataset = ours('PseudoLabelDataset', root, **SETTINGS[name])
    for number, labels in enumerate(maps(dataset)):
        expected = sorted(set(labels.ravel().tolist()) - {255})
        assert dataset.get_cat_ids(number) == expected


def test_wrappers(root: Path) -> None:
    """One picture in two shows a cow; t = 2 doubles the rarest."""
    inner = dict(
        type='PseudoLabelDataset',
        class_prompts=PROMPTS,
        data_root=str(root),
        data_prefix=dict(img_path='photos', seg_map_path='masks'),
        pipeline=PIPELINE,
        metainfo=dict(classes=['background', 'cow']),
    )
    repeated = DATASETS.build(
        dict(type='RepeatDataset', times=2, dataset=inner)
    )
    joined = DATASETS.build(
        dict(type='ConcatDataset', datasets=[inner, inner])
    )
    balanced = DATASETS.build(
        dict(type='ClassBalancedDataset', oversample_thr=2.0, dataset=inner)
    )
    assert (len(repeated), len(joined)) == (8, 8)
    # p0 has background alone, p1 neither, p2 a cow, p3 both
    assert balanced.repeat_indices == [0, 0, 1, 2, 2, 3, 3]
    for dataset, number, shown in ((repeated, 6, 2), (joined, 7, 3)):
        path = dataset[number]['data_samples'].img_path
        assert path.endswith(f'p{shown}.jpg')
    assert balanced.get_cat_ids(4) == [1]
    assert repeated.metainfo['classes'] == ['background', 'cow']


def test_a_data_set_of_mmseg_stands_beside_ours(root: Path) -> None:
    """ConcatDataset asks for equal classes and colours."""
    both = DATASETS.build(
        dict(
            type='ConcatDataset',
            datasets=[
                dict(
                    type=kind,
                    data_root=str(root),
                    data_prefix=dict(img_path='photos', seg_map_path='masks'),
                    pipeline=PIPELINE,
                    **more,
                )
                for kind, more in (
                    ('PseudoLabelDataset', dict(class_prompts=PROMPTS)),
                    (Theirs, {}),
                )
            ],
        )
    )
    assert len(both) == 8
    assert np.array_equal(*(maps([both[n]])[0] for n in (1, 5)))


def test_the_folder_of_seeds_has_to_be_named(root: Path) -> None:
    config = dict(data_prefix=dict(img_path='photos'))
    with pytest.raises(UserInputError, match='Set `seed_dir`'):
        ours('PseudoLabelDataset', root, **config)
    seeds = str(root / 'masks')
    assert len(ours('PseudoLabelDataset', root, **config, seed_dir=seeds)) == 4


def labelled(root: Path, **settings: Any) -> Any:
    """Pictures with labels, of which one shows no animal but the cow."""
    (root / 'tags.txt').write_text('p0 cat dog\np1 cow\np2 dog cow\np3 cat\n')
    config = dict(
        type='ImageLabelDataset',
        class_prompts=PROMPTS,
        data_root=str(root),
        data_prefix=dict(img_path='photos'),
        label_file='tags.txt',
    )
    return DATASETS.build(dict(config, **settings))


def test_image_labels_of_some_classes(root: Path) -> None:
    chosen = dict(classes=['background', 'dog', 'cat'])
    with pytest.raises(UserInputError, match='1 of 4 .*no image-level label'):
        labelled(root, metainfo=chosen)
    dataset = labelled(root, metainfo=chosen, drop_unlabelled=True)
    shown = [
        dataset.get_data_info(n)['image_labels'].tolist() for n in range(3)
    ]
    assert shown == [[True, True], [True, False], [False, True]]
    assert dataset.get_cat_ids(1) == [0]
    assert dataset.metainfo['classes'] == ['background', 'dog', 'cat']
    assert dataset.metainfo['label_map'] == {0: 0, 1: 2, 2: 1, 3: 255}
    assert dataset.METAINFO['classes'] == NAMES.labels
    assert dataset.metainfo['palette'] == [COLOURS[n] for n in (0, 2, 1)]
    with pytest.raises(UserInputError, match='begin with'):
        labelled(root, metainfo=dict(classes=['dog', 'cat']))


def test_image_labels_by_the_names_of_mmseg(root: Path) -> None:
    dataset = labelled(
        root, ann_file='split.txt', indices=1, img_suffix='.jpg'
    )
    assert len(dataset) == 1
    assert dataset.get_data_info(0)['image_name'] == 'p2'
    lazy = labelled(root, lazy_init=True, ann_file='missing.txt')
    assert lazy.metainfo['classes'] == NAMES.labels
    with pytest.raises(UserInputError, match=r'missing\.txt'):
        lazy.full_init()
    balanced = DATASETS.build(
        dict(
            type='ClassBalancedDataset',
            oversample_thr=1,
            dataset=labelled(root),
        )
    )
    assert len(balanced) == 8
