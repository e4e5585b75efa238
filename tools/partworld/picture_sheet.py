# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Draw what every stage made of some PartWorld pictures, side by side.

    python tools/partworld/picture_sheet.py

Reads the results of tools/run_pipeline.py. Writes pictures.png.
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmseg.registry import MODELS

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.datasets import PartWorldImageLabelDataset
from mmfmwsss.models.cams import softmax_gradcam
from mmfmwsss.models.segmentors.clip_prompt_segmentor import upsample_cams
from mmfmwsss.structures import SAMMasks
from mmfmwsss.testing.partworld import PALETTE
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.visualization import (
    overlay_cam,
    paint_labels,
    paint_masks,
    picture_sheet,
)

CONFIGS = Path('configs/fmwsss')
TITLES = (
    'image', 'CAM of 1st class', 'whole masks', 'part masks', 'sub-part masks',
    'coarse seed', 'fine seed', 'prediction', 'ground truth',
)  # fmt: skip


def load_model(name: str, checkpoint: str) -> tuple[Any, Config]:
    """A trained model of a PartWorld config."""
    config = Config.fromfile(CONFIGS / f'partworld_{name}.py')
    model = MODELS.build(config.model)
    load_checkpoint(model, checkpoint, map_location='cpu')
    return model.eval(), config


@torch.no_grad()
def cam_of_first_class(model: Any, sample: dict[str, Any]) -> np.ndarray:
    """Map of the first class as the fine seed reads it, (H, W)."""
    batch = model.data_preprocessor(
        dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']])
    )
    data_sample = batch['data_samples'][0]
    features, embedding = model.encode(batch['inputs'])
    text = model.streams['segmentation'].text_features(model.clip)
    labels = data_sample.image_labels[None]
    cams, pairs = softmax_gradcam(
        model.clip, features, embedding, text, labels
    )
    if model.routes['fine_seed'].affinity:
        cams = model.affinity(cams, features.affinity, pairs[:, 0])
    return upsample_cams(cams, data_sample.ori_shape)[0].numpy()


@torch.no_grad()
def prediction(model: Any, pipeline: Any, path: str) -> np.ndarray:
    """The segmentor's labels, (H, W)."""
    sample = pipeline(dict(img_path=path))
    result = model.test_step(
        dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']])
    )
    return result[0].pred_sem_seg.data[0].numpy()


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/partworld/pictures.png')
    )
    parser.add_argument('--images', type=int, default=8)
    args = parser.parse_args()
    init_default_scope('mmseg')
    prompts, config = load_model(
        'seed', 'work_dirs/partworld/prompt/iter_150.pth'
    )
    segmentor, segmentor_config = load_model(
        'deeplabv3plus', 'work_dirs/partworld/deeplabv3plus/iter_600.pth'
    )
    pipeline = Compose(
        [
            transform
            for transform in segmentor_config.test_pipeline
            if transform.type != 'LoadAnnotations'
        ]
    )
    dataset_config = config.test_dataloader.dataset.copy()
    dataset_config.pop('type')
    dataset = PartWorldImageLabelDataset(**dataset_config)
    rows, names = [], []
    for index in np.linspace(0, len(dataset) - 1, args.images).astype(int):
        sample = dataset[int(index)]
        path = Path(sample['data_samples'].img_path)
        image = cv2.imread(str(path))[..., ::-1].copy()
        masks: SAMMasks = sample['data_samples'].sam_masks
        seeds = [
            read_label_png(Path(config.work_dir) / kind / f'{path.stem}.png')
            for kind in ('coarse_seed', 'fine_seed')
        ]
        truth = read_label_png(
            path.parents[1] / 'SegmentationClass' / f'{path.stem}.png'
        )
        maps = [*seeds, prediction(segmentor, pipeline, str(path)), truth]
        rows.append(
            [
                image,
                overlay_cam(image, cam_of_first_class(prompts, sample)),
                *(paint_masks(image, masks, level) for level in (2, 1, 0)),
                *(paint_labels(image, labels, PALETTE) for labels in maps),
            ]
        )
        classes = dataset.metainfo['classes'][1:]
        present = sample['data_samples'].image_labels.nonzero()[:, 0]
        labels_text = ', '.join(classes[c] for c in present.tolist())
        names.append(f'{path.stem}: {labels_text}')
    sheet = picture_sheet(rows, TITLES, names)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(args.out), sheet[..., ::-1])


if __name__ == '__main__':
    main()
