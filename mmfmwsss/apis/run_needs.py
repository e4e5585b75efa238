# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Estimate the memory and the disk that a run of a config takes.

The largest tensors are counted from the config, not measured: what comes out
tells a machine that will do from one that will not. docs/performance.md
compares it with measured peaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS

from ..datasets.wrapped_datasets import inner_settings
from ..models.clip.photo_clip import PHOTO_CLIP, PHOTO_CLIP_ARCH
from ..models.masks import EverythingSettings
from ..structures.class_tables import get_class_prompts
from .kept_tensors import count_kept_bytes
from .known_weights import read_known_weights

__all__ = [
    'Estimate',
    'add_up_memory',
    'count_images',
    'estimate_disk',
    'estimate_memory',
]

_FLOAT = 4  # bytes
_PHOTO = 375 * 500  # pixels; photos are not opened
# Resident memory of a process that has imported torch and mmseg, measured.
_PROCESS = 750 * 2**20
# Of a mask file and a seed, measured (docs/voc_and_coco.md); one mask for
# each 20 points asked for.
_BYTES_OF_MASK, _BYTES_OF_SEED, _POINTS_OF_MASK = 410, 2500, 20
# Heads of the official image encoders; TinyViT has windows only.
_SAM_HEADS = dict(vit_h=16, vit_l=16, vit_b=12, vit_t=0)
# Numbers that a block of a text tower keeps for backward, in widths a token:
# 2 norms, query, key, value, attention, projection, and 2 of 4 in the MLP.
_KEPT_OF_BLOCK = 17
_CROP = 224  # pixels, of a prompt training without a crop
# Channels of the widest map of EfficientNet-Lite2, at half the side.
_STEM_CHANNELS = 96
_MOMENTS = dict(SGD=1, Adam=2, AdamW=2)


@dataclass(frozen=True)
class Estimate:
    """Hold a number of bytes and how it was counted.

    Attributes:
        size (int): Bytes.
        terms (str): Its parts.
    """

    size: int
    terms: str


def add_up_memory(
    weights: int, copies: int, batch: int, each: int, once: int = 0
) -> int:
    """Add up the memory of a run.

    The process, ``copies`` of the weights, ``each`` for every image or point
    of the batch, and what is there ``once``. All but ``copies`` and ``batch``
    are bytes.

    Example:
        >>> add_up_memory(10, 2, 3, 100, 5) - add_up_memory(0, 0, 0, 0)
        325
    """
    return _PROCESS + copies * weights + batch * each + once


def estimate_memory(config: Config) -> Estimate | None:
    """Estimate the largest memory of a run, of the GPU if there is one.

    Args:
        config (Config): Of masks, prompts, seeds, or a network's training.

    Returns:
        Estimate | None: None for a model that is counted in no way.
    """
    model = config.get('model') or {}
    source = model.get('source') or {}
    if source.get('type') == 'SAMEverything':
        return _memory_of_masks(source)
    if model.get('type') == 'CLIPPromptSegmentor':
        return _memory_of_prompts(config)
    if 'backbone' in model and _is_training(config):
        return _memory_of_network(config)
    return None


def estimate_disk(config: Config, images: int | None) -> Estimate | None:
    """Estimate what a run writes: masks, seeds and CAMs of each image.

    Args:
        config (Config): Of a test; checkpoints are not counted.
        images (int, optional): How many are tested.

    Returns:
        Estimate | None: None where nothing is written, or the number of
        images is unknown.
    """
    model = config.get('model') or {}
    source = model.get('source') or {}
    if images is None or _is_training(config):
        return None
    if source.get('type') == 'SAMEverything':
        masks = -(-count_points(source) // _POINTS_OF_MASK)
        terms = f'{images} images x {masks} masks x {_BYTES_OF_MASK} bytes'
        return Estimate(images * masks * _BYTES_OF_MASK, terms)
    # Add up what the metrics write
    each = sum(map(_bytes_written, _metrics(config)))
    if each == 0:
        return None
    return Estimate(images * each, f'{images} images x {each} bytes')


def count_points(source: Mapping[str, Any]) -> int:
    """Count the points that SAM is asked at, on the image and its crops.

    A layer i has 4^i crops with a grid that shrinks from layer to layer.

    Example:
        >>> count_points(dict(points_per_side=32, crop_n_layers=1))
        2048
    """
    defaults = vars(EverythingSettings())
    side, layers, factor = (
        source.get(name, defaults[name])
        for name in (
            'points_per_side',
            'crop_n_layers',
            'crop_n_points_downscale_factor',
        )
    )
    return sum(
        4**layer * (side // factor**layer) ** 2 for layer in range(layers + 1)
    )


def count_images(config: Config) -> int | None:
    """Count the images of a test; None where they cannot be listed yet."""
    loader = config.get('test_dataloader') or {}
    if not loader.get('dataset'):
        return None
    count = 0
    with DefaultScope.overwrite_default_scope('mmseg'):
        for settings in inner_settings(loader['dataset']):
            # List it without transforms, which may need other files
            try:
                count += len(DATASETS.build(dict(settings, pipeline=[])))
            except (OSError, ValueError):
                return None
    return count


def _memory_of_masks(source: Mapping[str, Any]) -> Estimate:
    """Count SAM's weights, an attention map, and the masks of a batch."""
    arch = source['arch']
    # Take the sizes of the image encoder
    if isinstance(arch, str):
        patches, width, heads = 64, 256, _SAM_HEADS.get(arch, 16)
        weights = _weights_of_sam(arch)
    else:
        patches = arch['image_size'] // arch['patch_size']
        width, heads = arch['decoder_width'], arch['encoder_heads']
        weights = 0  # a few megabytes
    # Scores, their softmax and a copy are there at a time
    attention = 3 * _FLOAT * heads * patches**4
    # Upscaled features, and three masks of the size of the photo
    points = source.get('points_per_batch', 64)
    each = _FLOAT * (width // 8 * (4 * patches) ** 2 + 3 * _PHOTO)
    return Estimate(
        add_up_memory(weights, 2, points, each, attention),
        f'process {_mb(_PROCESS)}, weights twice {_mb(2 * weights)}, '
        f'attention {_mb(attention)}, {points} points x {_mb(each)}',
    )


def _weights_of_sam(arch: str) -> int:
    file = {'vit_t': 'mobile_sam'}.get(arch, f'sam_{arch}')
    sizes = {known.name: known.size for known in read_known_weights()}
    return sizes.get(file) or 0


def _memory_of_prompts(config: Config) -> Estimate:
    """Count CLIP, its tokens, and what the prompts keep for backward."""
    arch = _clip_sizes(config.model.clip.get('arch') or 'ViT-B-16')
    vision, text = arch['vision_cfg'], arch['text_cfg']
    training = _is_training(config)
    # Count a block of the image tower: its MLP, norms and attention maps
    pixels = _crop_pixels(config) if training else _PHOTO
    tokens = pixels // vision['patch_size'] ** 2 + 1
    heads = vision['width'] // vision.get('head_width', 64)
    each = _FLOAT * (12 * tokens * vision['width'] + 3 * heads * tokens**2)
    if config.model.clip.get('arch') == PHOTO_CLIP:
        each += 3 * _FLOAT * _STEM_CHANNELS * pixels // 4
    # Count the prompts, which keep all blocks of the text tower
    kept = 0
    if training:
        names = get_class_prompts(config.model.class_prompts)
        prompts = len(names.classes) + len(names.background)
        for stream in config.model.streams.values():
            length = stream.prompts.get('context_length', 16) + 5
            numbers = _KEPT_OF_BLOCK * text['width'] * text['layers']
            kept += _FLOAT * prompts * length * numbers
    # Twelve squares of the width are the matrices of a block
    weights = _FLOAT * sum(
        12 * tower['width'] ** 2 * tower['layers'] for tower in (vision, text)
    )
    weights += _FLOAT * text.get('vocab_size', 49408) * text['width']
    batch = _batch_size(config)
    return Estimate(
        add_up_memory(weights, 2, batch, each, kept),
        f'process {_mb(_PROCESS)}, weights twice {_mb(2 * weights)}, '
        f'{batch} images x {_mb(each)}, prompts {_mb(kept)}',
    )


def _clip_sizes(arch: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Find the sizes of both towers of a CLIP."""
    if not isinstance(arch, str):
        return arch
    if arch == PHOTO_CLIP:
        return PHOTO_CLIP_ARCH
    import open_clip

    return open_clip.get_model_config(arch.removesuffix('-quickgelu')) or {}


def _memory_of_network(config: Config) -> Estimate | None:
    """Count a network's weights, and what it keeps for backward."""
    side = round(_crop_pixels(config) ** 0.5)
    counted = count_kept_bytes(config.model, (side, side))
    if counted is None:
        return None
    weights, each = counted
    batch = _batch_size(config)
    # Add gradients and the optimiser's moments
    optimizer = config.optim_wrapper.optimizer.type
    copies = 2 + _MOMENTS.get(str(optimizer), 2)
    return Estimate(
        add_up_memory(weights, copies, batch, each),
        f'process {_mb(_PROCESS)}, weights, gradients and moments '
        f'{_mb(copies * weights)}, {batch} images x {_mb(each)}',
    )


def _is_training(config: Config) -> bool:
    """Tell a training from seeds, whose configs inherit one."""
    trains = config.get('train_dataloader') and config.get('train_cfg')
    return bool(trains) and not any(map(_bytes_written, _metrics(config)))


def _batch_size(config: Config) -> int:
    role = 'train' if _is_training(config) else 'test'
    return int(config[f'{role}_dataloader'].get('batch_size', 1))


def _crop_pixels(config: Config) -> int:
    """Find the area of the last crop of a training."""
    settings = next(inner_settings(config.train_dataloader.dataset))
    sizes = [s['crop_size'] for s in settings.pipeline if 'crop_size' in s]
    size = sizes[-1] if sizes else _CROP
    height, width = (size, size) if isinstance(size, int) else size
    return int(height * width)


def _metrics(config: Config) -> list[Mapping[str, Any]]:
    found = config.get('test_evaluator') or []
    return list(found) if isinstance(found, list | tuple) else [found]


def _bytes_written(metric: Mapping[str, Any]) -> int:
    """Tell what a metric writes for an image: a seed, or two CAMs."""
    if not metric.get('output_dir'):
        return 0
    if metric.get('type') == 'CAMWriter':
        return 2 * _FLOAT * _PHOTO
    return _BYTES_OF_SEED


def _mb(size: int) -> str:
    return f'{size / 1e6:,.0f} MB'
