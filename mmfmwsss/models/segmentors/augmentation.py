# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Test-time augmentation that merges first and refines once."""

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from ...utils import UserInputError
from .clip_prompt_segmentor import CLIPPromptSegmentor
from .mixed_batches import failed
from .refined_segmentor import RefinedSegmentor
from .seg_probabilities import seg_probabilities

__all__ = ['RefinedSegTTAModel']


@MODELS.register_module()
class RefinedSegTTAModel(SegTTAModel):
    """Test-time augmentation that merges first and refines once.

    The mean of the probabilities over the augmented copies is refined.
    ``module`` must be a :class:`RefinedSegmentor`; the masks are those of the
    original image.
    """

    module: RefinedSegmentor

    def test_step(self, data: Any) -> SampleList:
        """Predict all copies without refinement, then merge.

        Args:
            data (dict): A list by key, with one batch an augmentation.

        Raises:
            UserInputError: If the model is no RefinedSegmentor.
        """
        if not isinstance(self.module, RefinedSegmentor):
            raise UserInputError(
                'RefinedSegTTAModel expected the model to be a '
                f'RefinedSegmentor, got {type(self.module).__name__}. Use '
                "dict(type='SegTTAModel') or wrap the model."
            )
        # Predict each copy by the network alone
        keys = list(data)
        copies = zip(*(data[key] for key in keys), strict=True)
        predictions = [
            self.module.network_step(dict(zip(keys, copy, strict=True)))
            for copy in copies
        ]
        # Group by image, no longer by copy
        return self.merge_preds(list(zip(*predictions, strict=True)))

    def merge_preds(
        self, data_samples_list: Sequence[Sequence[SegDataSample]]
    ) -> SampleList:
        """Merge the copies of each image and refine.

        Args:
            data_samples_list (list): For each image the predictions of its
                copies, all at the original resolution.

        Returns:
            list[SegDataSample]: The first copy's sample, with its
            ``pred_sem_seg`` replaced, (1, H, W). Failed ones as they came.
        """
        how = self.module.probabilities
        merged = []
        for copies in data_samples_list:
            if not failed(copies[0]):
                # Average the probabilities over the copies, then refine
                each = [
                    seg_probabilities(copy.seg_logits.data, how)
                    for copy in copies
                ]
                self.module.refine(copies[0], torch.stack(each).mean(0))
            merged.append(copies[0])
        return merged


def _refuse_lost_refinement(
    parent: nn.Module, name: str, child: nn.Module | None
) -> None:
    """Refuse mmseg's augmentation around models that it would undo.

    It merges ``seg_logits`` and forgets the ``pred_sem_seg`` of its copies.
    """
    # Look at mmseg's own way of merging only
    merge = getattr(type(parent), 'merge_preds', None)
    if merge is not SegTTAModel.merge_preds:
        return
    if isinstance(child, RefinedSegmentor):
        raise UserInputError(
            f'Expected RefinedSegTTAModel around a RefinedSegmentor, but got '
            f'{type(parent).__name__}, which would drop the refinement. Set '
            "tta_model = dict(type='RefinedSegTTAModel')."
        )
    if isinstance(child, CLIPPromptSegmentor):
        raise UserInputError(
            'Expected a network for test-time augmentation, but got a '
            'CLIPPromptSegmentor: seeds are made from one view of an image. '
            'Test without --tta.'
        )


# The only place that sees which model goes into which other, whoever builds
# them and from whatever config; it does nothing to other modules.
register_module_module_registration_hook(_refuse_lost_refinement)
