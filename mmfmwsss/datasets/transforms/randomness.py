# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tie the randomness of a pipeline to the draw that it works on."""

import random
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

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

    Required keys: ``sample_idx``, a :class:`Draw`.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Seed the generators.

        Raises:
            UserInputError: If the sampler is another one.
        """
        # Take the draw that the sampler made, or say how to get one
        draw = results.get('sample_idx')
        if not isinstance(draw, Draw):
            raise UserInputError(
                'ReproducibleAugmentation expected a draw of a '
                f'ReproducibleSampler as `sample_idx`, but got {draw!r}. Set '
                "`train_dataloader.sampler=dict(type='ReproducibleSampler')`, "
                'with `infinite=True` for IterBasedTrainLoop, or take the '
                'transform out of the pipeline (a ClassBalancedDataset '
                'forgets the draw).'
            )
        # Make augmentation depend on the draw alone, not on the process
        set_all_seeds(draw.randomness)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
