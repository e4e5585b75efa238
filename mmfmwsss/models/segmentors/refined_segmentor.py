# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stage 2: SAMS, or any seeder, on the output of any mmseg segmentor."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from mmcv import imread
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor, SegTTAModel
from mmseg.registry import MODELS, TASK_UTILS
from mmseg.structures import SegDataSample
from mmseg.utils import ConfigType, OptConfigType, SampleList
from torch import Tensor, nn

from ...utils import UserInputError
from ..seeding import BaseSeeder
from .checkpoint_keys import keep_plain_keys
from .seg_probabilities import is_query_based, seg_probabilities

__all__ = ['RefinedSegTTAModel', 'RefinedSegmentor']

Probabilities = Literal['auto', 'softmax', 'sum']


@MODELS.register_module()
class RefinedSegmentor(BaseSegmentor):
    """Refine the predictions of a segmentor with a seeder, Section 4.4.

    Training is the inner segmentor's own. A prediction is made of its class
    probabilities by ``refiner``, which may use the masks that
    ``LoadSAMMasks`` put into the data sample. Checkpoints have the keys of
    the inner segmentor, so that those of the plain config can be loaded and
    the other way round.

    Args:
        segmentor (dict): Config of any mmseg segmentor with the background
            as its class 0.
        refiner (dict): Config of a seeder, e.g. ``dict(type='SAMS')``.
        probabilities (str): How ``seg_logits`` become probabilities, see
            :func:`seg_probabilities`. ``'auto'`` takes ``'sum'`` for the heads
            of MaskFormer and Mask2Former and ``'softmax'`` for others.
        data_preprocessor (dict, optional): Goes to the inner segmentor when
            that has none; mmengine puts the one of the config's top level
            here.
        init_cfg (dict, optional): Initialisation, as in mmengine.

    Raises:
        ValueError: If ``probabilities`` is unknown.
    """

    def __init__(
        self,
        segmentor: ConfigType,
        refiner: ConfigType,
        probabilities: Probabilities = 'auto',
        data_preprocessor: OptConfigType | nn.Module = None,
        init_cfg: OptConfigType = None,
    ) -> None:
        if probabilities not in ('auto', 'softmax', 'sum'):
            raise ValueError(
                "probabilities must be 'auto', 'softmax' or 'sum', got "
                f'{probabilities!r}'
            )
        config = dict(segmentor)
        if data_preprocessor is not None:
            config.setdefault('data_preprocessor', data_preprocessor)
        inner = MODELS.build(config)
        super().__init__(inner.data_preprocessor, init_cfg)
        self.segmentor = inner
        self.refiner: BaseSeeder = TASK_UTILS.build(refiner)
        if probabilities == 'auto':
            probabilities = 'sum' if is_query_based(inner) else 'softmax'
        self.probabilities: Literal['softmax', 'sum'] = probabilities
        self.refines = True
        keep_plain_keys(self, 'segmentor')

    def __getattr__(self, name: str) -> Any:
        """Other tools look for decode_head, out_channels, ... on a model."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name == 'segmentor':
                raise
            return getattr(super().__getattr__('segmentor'), name)

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """The inner segmentor's losses."""
        return self.segmentor.loss(inputs, data_samples)

    def predict(
        self, inputs: Tensor, data_samples: SampleList | None = None
    ) -> SampleList:
        """The inner segmentor's prediction, refined image by image.

        Args:
            inputs (Tensor): Normalised images, (N, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``sam_masks``
                if the refiner needs masks.

        Returns:
            list[SegDataSample]: ``seg_logits`` of the inner segmentor and the
            refined ``pred_sem_seg``, int64, (1, H, W).

        Raises:
            UserInputError: If the refiner needs masks and there are none.
        """
        predictions = self.segmentor.predict(inputs, data_samples)
        if self.refines:
            for sample in predictions:
                scores = sample.seg_logits.data
                self.refine(
                    sample, seg_probabilities(scores, self.probabilities)
                )
        return predictions

    def refine(self, sample: SegDataSample, probabilities: Tensor) -> None:
        """Set ``pred_sem_seg`` of a sample from (1 + C, H, W)."""
        masks = getattr(sample, 'sam_masks', None)
        if self.refiner.needs_masks and masks is None:
            raise UserInputError(
                'RefinedSegmentor expected `sam_masks` in the data sample of '
                f'{sample.get("img_path", "an image")}, got none. Add '
                "dict(type='LoadSAMMasks') to the test pipeline, before the "
                'inputs are packed.'
            )
        image = None
        if self.refiner.needs_image:
            image = _load_rgb(sample).to(probabilities.device)
        labels = self.refiner.refine(probabilities, masks, image)
        sample.set_data(dict(pred_sem_seg=PixelData(data=labels[None].long())))

    def extract_feat(self, inputs: Tensor) -> Any:
        """The inner segmentor's features."""
        return self.segmentor.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any) -> Tensor:
        """The inner segmentor's scores."""
        return self.segmentor.encode_decode(inputs, batch_data_samples)

    def _forward(
        self, inputs: Tensor, data_samples: SampleList | None = None
    ) -> Any:
        return self.segmentor._forward(inputs, data_samples)


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

        Raises:
            UserInputError: If the model is no RefinedSegmentor.
        """
        if not isinstance(self.module, RefinedSegmentor):
            raise UserInputError(
                'RefinedSegTTAModel expected the model to be a '
                f'RefinedSegmentor, got {type(self.module).__name__}. Use '
                "dict(type='SegTTAModel') or wrap the model."
            )
        self.module.refines = False
        try:
            return super().test_step(data)
        finally:
            self.module.refines = True

    def merge_preds(
        self, data_samples_list: Sequence[Sequence[SegDataSample]]
    ) -> SampleList:
        """Merge the copies of each image and refine.

        Args:
            data_samples_list (list): For each image the predictions of its
                copies, all at the original resolution.

        Returns:
            list[SegDataSample]: The first copy's sample, with its
            ``pred_sem_seg`` replaced, (1, H, W).
        """
        how = self.module.probabilities
        merged = []
        for copies in data_samples_list:
            each = [
                seg_probabilities(copy.seg_logits.data, how) for copy in copies
            ]
            mean = torch.stack(each).mean(0)
            self.module.refine(copies[0], mean)
            merged.append(copies[0])
        return merged


def _load_rgb(sample: SegDataSample) -> Tensor:
    """The sample's original image, uint8, (H, W, 3)."""
    path = sample.get('img_path')
    if path is None:
        raise UserInputError(
            'The refiner looks at the image and expected its `img_path` in '
            'the meta information, got none. Add it to the meta_keys.'
        )
    return torch.from_numpy(imread(path, channel_order='rgb'))
