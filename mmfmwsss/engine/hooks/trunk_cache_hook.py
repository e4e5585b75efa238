# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train prompts on a fixed set of views, each through the trunk once."""

from typing import Any, Literal

import torch
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...datasets.samplers import ReproducibleSampler
from ...datasets.wrapped_datasets import (
    inner_datasets,
    inner_settings,
    mixes_pictures,
)
from ...models.clip import TrunkCache
from ...models.clip.trunk_cache import CacheShape
from ...models.segmentors import CLIPPromptSegmentor
from ...utils import (
    UserInputError,
    digest_of,
    digest_of_file,
    digest_of_weights,
)
from ...utils.model_wrappers import unwrap_model

__all__ = ['TrunkCacheHook']


@HOOKS.register_module()
class TrunkCacheHook(Hook):
    """Keep the trunk's output of ``views`` augmented views a picture on disk.

    Pass k over the data shows view k mod ``views``; after ``views`` passes
    the image trunk is not run any more. A training with fresh crops in every
    pass becomes one with ``views`` crops a picture, which is the price. The
    folder belongs to one CLIP, list of pictures (and what is in them),
    pipeline, seed and precision, and refuses any other. A 224 px crop of
    ViT-B/16 takes 0.38 MB in float16 with the attention that CAA reads, 0.30
    MB without.

    In a config, ``default_hooks = dict(trunk_cache=dict(
    type='TrunkCacheHook', folder='work_dirs/voc12/trunk'))`` turns it on. It
    needs a ``ReproducibleSampler`` and crops of one size.

    Args:
        folder (str): Where the files go.
        views (int): Augmented views of a picture. Default: 4.
        dtype (str): ``'float16'`` or ``'float32'``.
    """

    def __init__(
        self,
        folder: str,
        views: int = 4,
        dtype: Literal['float16', 'float32'] = 'float16',
    ) -> None:
        self.folder = folder
        self.views = views
        self.dtype = dtype

    def before_train(self, runner: Runner) -> None:
        """Open or make the cache, and tell the sampler of the views.

        Raises:
            UserInputError: If the model or the sampler is another one, or
                pictures are mixed or are cropped in several sizes.
        """
        # Refuse another model, or views in no known order
        model = unwrap_model(runner.model)
        loader = runner.train_dataloader
        sampler = loader.sampler
        if not isinstance(model, CLIPPromptSegmentor) or not isinstance(
            sampler, ReproducibleSampler
        ):
            raise UserInputError(
                'TrunkCacheHook expected a CLIPPromptSegmentor and a '
                f'ReproducibleSampler, but got {type(model).__name__} and '
                f'{type(sampler).__name__}. Leave the hook out, or set '
                "`train_dataloader.sampler.type='ReproducibleSampler'`."
            )
        # What workers have fetched by now is of pass 0: view 0 in any case,
        # unless the data set is tiny, and then the cache says so.
        sampler.limit_views(self.views)
        # Work out how much a view takes
        grid = _crop_grid(runner, model.clip.patch_size)
        clip = model.clip
        shape = CacheShape(
            images=len(loader.dataset),
            views=self.views,
            grid=grid,
            width=clip.model.visual.conv1.out_channels,
            attention=model.needs_attention,
            dtype=self.dtype,
        )
        # Tell what the features depend on
        block = clip.model.visual.transformer.resblocks[-1]
        key = dict(
            clip=digest_of_weights(clip.model.visual),
            attention_layers=clip.attention_layers,
            # What weights do not tell
            activation=type(block.mlp.gelu).__name__,
            heads=block.attn.num_heads,
            autocast=_autocast_type(runner),
            pictures=_digest_pictures(loader.dataset),
            pipeline=digest_of(_pipelines(runner)),
            preprocessor=digest_of(str(_preprocessor(runner))),
            seed=sampler.seed,
        )
        # One process makes the files, then the others open them
        made = None
        if is_main_process():
            made = TrunkCache(self.folder, shape, key)
        barrier()
        model.use_trunk_cache(made or TrunkCache(self.folder, shape, key))

    def after_train(self, runner: Runner) -> None:
        """Put the cache aside: test runs see whole pictures."""
        model: Any = unwrap_model(runner.model)
        model.use_trunk_cache(None)


def _autocast_type(runner: Runner) -> str | None:
    """Name the type that training steps compute in; None: of the weights."""
    device = next(runner.model.parameters()).device.type
    with runner.optim_wrapper.optim_context(runner.model):
        if not torch.is_autocast_enabled(device):
            return None
        return str(torch.get_autocast_dtype(device)).removeprefix('torch.')


def _preprocessor(runner: Runner) -> Any:
    """Find the settings that mmengine takes: the model's own, or the top."""
    config = runner.cfg
    return config.model.get('data_preprocessor') or config.data_preprocessor


def _pipelines(runner: Runner) -> str:
    """Write out the transforms of all data sets, in their order."""
    settings = runner.cfg.train_dataloader.dataset
    return '\n'.join(str(one.pipeline) for one in inner_settings(settings))


def _crop_grid(runner: Runner, patch: int) -> tuple[int, int]:
    """Count the patches of a crop, as the last crop of a pipeline decides."""
    dataset = runner.train_dataloader.dataset
    # Refuse mosaics, whose pictures no draw tells
    if mixes_pictures(dataset):
        raise UserInputError(
            'TrunkCacheHook expected pictures one by one, but '
            f'{type(dataset).__name__} makes one of several. Leave the hook '
            'out, or take the data set inside.'
        )
    # Find the last crop of each pipeline
    sizes = {_last_crop(inner) for inner in inner_datasets(dataset)}
    if len(sizes) > 1 or None in sizes:
        found = 'there is no crop' if None in sizes else f'got {sizes}'
        raise UserInputError(
            f'TrunkCacheHook expected crops of one size, but {found}. Set '
            "dict(type='RandomCropWithMasks', crop_size=...) in the pipeline "
            'of each data set.'
        )
    ((height, width),) = (size for size in sizes if size)
    return height // patch, width // patch


def _last_crop(dataset: Any) -> tuple[int, int] | None:
    """Find height and width that a data set's pipeline crops to."""
    sizes = [
        step.crop_size
        for step in dataset.pipeline.transforms
        if hasattr(step, 'crop_size')
    ]
    return (int(sizes[-1][0]), int(sizes[-1][1])) if sizes else None


def _digest_pictures(dataset: Any) -> str:
    """Hash the names and contents of all pictures, in their order."""
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    # Read a picture that is repeated once
    digests = {path: digest_of_file(path) for path in dict.fromkeys(paths)}
    return digest_of([(path, digests[path]) for path in paths])
