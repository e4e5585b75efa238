# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tie the randomness of a pipeline to the draw that it works on."""

import random
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.logging import MessageHub
from mmseg.registry import TRANSFORMS
from torch.utils.data import get_worker_info

from ...structures.draw import Draw
from ...utils import UserInputError

__all__ = ['ReproducibleAugmentation', 'set_all_seeds']


def set_all_seeds(seed: int) -> None:
    """Seed the generators that transforms and models draw from.

    Args:
        seed (int): Below 2**32.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@TRANSFORMS.register_module()
class ReproducibleAugmentation(BaseTransform):
    """Seed what follows with the view that the sampler asked for.

    It stands before the first random transform. With a
    ``ReproducibleSampler`` each view of a picture is then the same in every
    run with one seed, whichever worker makes it and whatever was made before.

    A plain index, as in ``dataset[0]`` where someone looks at the data, gets
    the same view each time. A training does not: with another sampler it
    would show every picture in one view for ever.

    Required keys: ``sample_idx``, a :class:`Draw` in a training.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Seed the generators.

        Raises:
            UserInputError: If a training, or a worker of a loader, has
                another sampler.
        """
        # Take the draw that the sampler made, or say how to get one
        draw = results.get('sample_idx')
        if not isinstance(draw, Draw):
            if _in_a_loader():
                raise UserInputError(
                    'ReproducibleAugmentation expected a draw of a '
                    f'ReproducibleSampler as `sample_idx`, but got {draw!r}. '
                    'Set `train_dataloader.sampler='
                    "dict(type='ReproducibleSampler')`, with `infinite=True` "
                    'for IterBasedTrainLoop, or take the transform out of the '
                    'pipeline.'
                )
            draw = Draw(draw or 0)
        # Make augmentation depend on the draw alone, not on the process
        set_all_seeds(draw.randomness)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def _in_a_loader() -> bool:
    """Tell if a worker, or a training without workers, asks for a sample."""
    if get_worker_info() is not None:
        return True
    stage = MessageHub.get_current_instance().get_info('loop_stage')
    return bool(stage == 'train')
