# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Loaders of data: settings that contradict, batches that never come."""

from typing import Any

from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.models.decode_heads.aspp_head import ASPPHead

from ..datasets.samplers import ReproducibleSampler
from ..utils import UserInputError
from ..utils.model_wrappers import unwrap_model

__all__ = ['check_batches', 'settle_workers', 'warn_of_other_batch']

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_OF_WORKERS = dict(persistent_workers=(False,), prefetch_factor=(None, 2))


def settle_workers(config: Config) -> None:
    """Take settings of worker processes out of loaders that have none.

    torch refuses ``persistent_workers=True`` and ``prefetch_factor`` with
    ``num_workers=0``, which the configs set for as many workers as they say.

    Args:
        config (Config): Changed in place, with a line in the log.
    """
    for key in _LOADERS:
        loaders = config.get(key) or []
        for loader in loaders if isinstance(loaders, list) else [loaders]:
            if loader.get('num_workers', 0) == 0:
                _drop_settings(key, loader)


def _drop_settings(key: str, loader: dict[str, Any]) -> None:
    for name, defaults in _OF_WORKERS.items():
        value = loader.pop(name, defaults[0])
        if value not in defaults:
            print_log(
                f'`{key}.{name}={value}` is left out, as `num_workers` is 0.',
                logger='current',
            )


def check_batches(runner: Runner) -> None:
    """See that a training has a batch, and none that the network refuses.

    Args:
        runner (Runner): Its training loop is built if it is not yet.

    Raises:
        UserInputError: If ``drop_last`` drops all there is, or a batch of one
            meets batch norm behind a pooling of whole images.
    """
    # Refuse a training without a single batch
    loader = runner.train_loop.dataloader
    draws = getattr(loader.sampler, 'epoch_draws', None)
    images, size = draws or len(loader.dataset), loader.batch_size or 1
    if not _is_endless(loader.sampler) and len(loader) == 0:
        raise UserInputError(
            f'Expected at least a batch of {size} images to train on, but '
            f'there are {images}. Set `--cfg-options '
            f'train_dataloader.batch_size={max(images, 1)}`, or add images.'
        )
    # Refuse batches of one where batch norm needs more
    model = unwrap_model(runner.model)
    pools = any(isinstance(module, ASPPHead) for module in model.modules())
    if pools and runner.world_size == 1 and _has_single(loader, images, size):
        raise UserInputError(
            'Expected batches of 2 or more images, for the network has batch '
            f'norm behind a mean over the image, but {images} images in '
            f'batches of {size} leave one alone. Set `--cfg-options '
            'train_dataloader.batch_size=2 train_dataloader.drop_last=True`, '
            'or add images.'
        )


def warn_of_other_batch(runner: Runner) -> None:
    """Log a warning if a training's batch in all is not the recipe's.

    The recipe's is ``auto_scale_lr.base_batch_size`` of the config; mmengine
    scales the learning rate by it where ``auto_scale_lr.enable`` is set.

    Args:
        runner (Runner): Its loader and its optimiser are built.
    """
    # Leave recipes alone that say nothing, or are scaled
    recipe = runner.auto_scale_lr or {}
    wanted = recipe.get('base_batch_size')
    if wanted is None or recipe.get('enable', False):
        return
    # Count the images of all processes that go into one update
    each = runner.train_loop.dataloader.batch_size or 1
    steps = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    found = runner.world_size * each * steps
    if found == wanted:
        return
    # Say how to get there, or what else to change
    count = f'{runner.world_size} processes x {each} images x {steps} steps'
    share, rest = divmod(wanted, runner.world_size * steps)
    remedy = 'Start as many processes as divide it'
    if share and not rest:
        remedy = f'Set --cfg-options train_dataloader.batch_size={share}'
    if steps == 1:  # which mmengine does not count
        remedy += ', or scale the rate: --cfg-options '
        remedy += 'auto_scale_lr.enable=True'
    runner.logger.warning(
        f'The recipe is for {wanted} images an update, but there are {found} '
        f'({count}), so that its learning rate and length may not fit. '
        f'{remedy}.'
    )


def _has_single(loader: Any, images: int, size: int) -> bool:
    if size == 1:
        return True
    if _is_endless(loader.sampler) or loader.drop_last:
        return False
    return images % size == 1


def _is_endless(sampler: Any) -> bool:
    if isinstance(sampler, ReproducibleSampler):
        return sampler.infinite
    return isinstance(sampler, InfiniteSampler)
