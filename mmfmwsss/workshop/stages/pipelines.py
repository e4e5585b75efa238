# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Name the steps from image-level labels to a network, for each data set."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...utils import UserInputError, nearby_names
from ...utils.custom_models import CUSTOM_MODELS, choose_custom_models
from .expected_scores import Score, seed_scores
from .pipeline import (
    NETWORKS,
    NetworkNames,
    Pipeline,
    Step,
    config_path,
    first_steps,
    network_scores,
    network_steps,
)

__all__ = ['PIPELINES', 'find_pipeline']


def find_pipeline(
    name: str, root: Path, network: str = 'deeplabv3plus'
) -> Pipeline:
    """Find the pipeline of a data set with a network.

    Args:
        name (str): One of :data:`PIPELINES`.
        root (Path): The repository, whose configs are looked for.
        network (str): ``'deeplabv3plus'`` or ``'mask2former'``.

    Returns:
        Pipeline: Its steps.

    Raises:
        UserInputError: If there is no such data set, or no such network for
            it.
    """
    if name not in PIPELINES:
        raise UserInputError(
            f'Expected a data set among {", ".join(PIPELINES)}, but got '
            f'{name!r}.{nearby_names(name, list(PIPELINES))}'
        )
    return PIPELINES[name](root, network)


def _data_root(variable: str, default: str) -> str:
    return os.environ.get(variable) or default


def _voc_root() -> str:
    return _data_root('VOC12_ROOT', 'data/VOCdevkit/VOC2012')


def _partworld(root: Path, network: str) -> Pipeline:
    # Add the baseline to the steps of every data set
    names = NetworkNames(
        'partworld',
        dict(
            deeplabv3plus='partworld_deeplabv3plus',
            mask2former='partworld_mask2former',
        ),
    )
    manual = Step(
        'manual_prompt',
        'baseline: seeds from a manual prompt',
        config_path('partworld_manual_prompt'),
        needs=('sam_masks',),
    )
    return Pipeline(
        'partworld',
        'PartWorld',
        'work_dirs/partworld',
        (
            *first_steps('partworld'),
            manual,
            *network_steps(root, names, network),
        ),
        (
            *seed_scores('partworld', 'seed'),
            *network_scores('partworld', network, 'mIoU'),
        ),
        train_images=1000,
        data_root=_data_root('PARTWORLD_ROOT', 'data/partworld'),
        root_variable='PARTWORLD_ROOT',
        make_data='tools/partworld/make_dataset.py',
    )


def _animals(root: Path, network: str) -> Pipeline:
    data_root = _voc_root()
    names = NetworkNames(
        'animals',
        {
            kind: f'animals_{kind}'
            for kind in NETWORKS
            if (root / config_path(f'animals_{kind}')).is_file()
        },
        'test_dataloader.dataset.image_list=mmfmwsss://voc_animals/val.txt',
    )
    return Pipeline(
        'animals',
        'VOC-Animals',
        'work_dirs/animals',
        (*first_steps('animals'), *network_steps(root, names, network)),
        (
            *seed_scores('animals', 'seed'),
            *network_scores('animals', network, 'val/mIoU'),
        ),
        train_images=800,
        inputs=(
            f'{data_root}/JPEGImages',
            f'{data_root}/SegmentationClassAug',
        ),
        data_root=data_root,
        root_variable='VOC12_ROOT',
    )


def _voc_names(suffix: str = '', seeds: str = '') -> NetworkNames:
    return NetworkNames(
        'voc',
        dict(
            deeplabv3plus='voc_deeplabv3plus_r101',
            mask2former='voc_mask2former_swin_l',
        ),
        'test_dataloader.dataset.image_list=ImageSets/Segmentation/val.txt',
        ('deeplabv3plus',),
        suffix,
        seeds,
    )


def _voc_pipeline(
    name: str, title: str, steps: list[Step], scores: list[Score]
) -> Pipeline:
    data_root = _voc_root()
    parts = ('JPEGImages', 'Annotations', 'ImageSets/Segmentation')
    return Pipeline(
        name,
        title,
        'work_dirs/voc12',
        tuple(steps),
        tuple(scores),
        train_images=10582,
        inputs=tuple(f'{data_root}/{part}' for part in parts),
        data_root=data_root,
        root_variable='VOC12_ROOT',
    )


def _voc(root: Path, network: str) -> Pipeline:
    return _voc_pipeline(
        'voc',
        'VOC 2012',
        [
            *first_steps('voc', root / _voc_root() / 'SegmentationClassAug'),
            *network_steps(root, _voc_names(), network),
        ],
        [
            *seed_scores('voc', 'seed'),
            *network_scores('voc', network, 'val/mIoU'),
        ],
    )


def _voc_tiny(root: Path, network: str) -> Pipeline:
    names = NetworkNames(
        'voc_tiny', dict(deeplabv3plus='voc_tiny_deeplabv3plus')
    )
    steps = [*first_steps('voc_tiny'), *network_steps(root, names, network)]
    scores = [
        *seed_scores('voc_tiny', 'seed'),
        *network_scores('voc_tiny', network, 'val/mIoU'),
    ]
    title = 'VOC 2012 with the tiny models, a rehearsal'
    pipeline = _voc_pipeline('voc_tiny', title, steps, scores)
    return replace(pipeline, work='work_dirs/voc12_tiny')


def _voc_official(root: Path, network: str) -> Pipeline:
    seeds = (
        'train_dataloader.dataset.seed_dir='
        'work_dirs/voc12/seed_official_seg/fine_seed'
    )
    truth = f'{_voc_root()}/SegmentationClassAug'
    scored = f'test_evaluator.ground_truth_dir={truth}'
    # Learn and infer twice: coarse seeds teach the second prompts
    steps = [first_steps('voc')[0]]
    before = 'sam_masks'
    for task, words in (('cls', 'classification'), ('seg', 'segmentation')):
        learn, infer = f'prompt_official_{task}', f'seed_official_{task}'
        kind = 'coarse' if task == 'cls' else 'fine'
        steps += [
            Step(
                learn,
                f'learn the {words} prompts',
                config_path(f'voc_{learn}'),
                trains=True,
                needs=(before,),
            ),
            Step(
                infer,
                f'{kind} seeds',
                config_path(f'voc_{infer}'),
                needs=(learn,),
                checkpoint_of=learn,
                options=(scored,) if (root / truth).is_dir() else (),
            ),
        ]
        before = infer
    names = _voc_names('_official', seeds)
    return _voc_pipeline(
        'voc_official',
        "VOC 2012, the released code's two runs",
        [*steps, *network_steps(root, names, network, before)],
        [
            *seed_scores('voc_official', ''),
            *network_scores('voc_official', network, 'val/mIoU', '_official'),
        ],
    )


def _coco(root: Path, network: str) -> Pipeline:
    data_root = _data_root('COCO14_ROOT', 'data/coco14')
    names = NetworkNames(
        'coco',
        dict(
            deeplabv3plus='coco_deeplabv3plus_r101',
            mask2former='coco_mask2former_swin_l',
        ),
        'test_dataloader.dataset.split=val',
        ('deeplabv3plus',),
    )
    truth = 'SegmentationClass/train2014'
    parts = ('train2014', 'val2014', 'annotations', 'ImageSets')
    return Pipeline(
        'coco',
        'COCO 2014',
        'work_dirs/coco14',
        (
            *first_steps('coco', root / data_root / truth),
            *network_steps(root, names, network),
        ),
        (
            *seed_scores('coco', 'seed'),
            *network_scores('coco', network, 'val/mIoU'),
        ),
        train_images=82081,
        inputs=tuple(f'{data_root}/{part}' for part in parts),
        data_root=data_root,
        root_variable='COCO14_ROOT',
    )


def _custom(root: Path, network: str) -> Pipeline:
    data_root = _data_root('CUSTOM_ROOT', 'data/custom')
    labels = os.environ.get('CUSTOM_LABELS') or 'image_labels.csv'
    names = NetworkNames('custom', dict(deeplabv3plus='custom_deeplabv3plus'))
    training, _ = network_steps(root, names, network)
    # Name the models in each command, so that all stages have the same
    choice = choose_custom_models(CUSTOM_MODELS)
    environment = {} if choice is None else {CUSTOM_MODELS: choice.models}
    predict = Step(
        'predict',
        'segment the photos with the network',
        config_path('custom_predict'),
        needs=(training.name,),
        checkpoint_of=training.name,
    )
    return Pipeline(
        'custom',
        'own photos',
        os.environ.get('CUSTOM_WORK') or 'work_dirs/custom',
        (*first_steps('custom'), training, predict),
        inputs=tuple(
            f'{data_root}/{part}'
            for part in ('images', labels, 'classes.yaml')
        ),
        data_root=data_root,
        root_variable='CUSTOM_ROOT',
        work_variable='CUSTOM_WORK',
        environment=environment,
    )


PIPELINES: dict[str, Callable[[Path, str], Pipeline]] = {
    'partworld': _partworld,
    'animals': _animals,
    'voc': _voc,
    'voc_tiny': _voc_tiny,
    'voc_official': _voc_official,
    'coco': _coco,
    'custom': _custom,
}
