# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stage 2: SAMS, or any seeder, on the output of any mmseg segmentor."""

from collections.abc import Iterator
from typing import Any, Literal

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import MODELS, TASK_UTILS
from mmseg.structures import SegDataSample
from mmseg.utils import ConfigType, OptConfigType, SampleList
from torch import Tensor, nn

from ...structures import SAMMasks
from ...utils import UserInputError
from ...utils.labels import IGNORE_LABEL
from ..seeding import BaseSeeder
from .checkpoint_keys import keep_plain_keys
from .mixed_batches import NOT_FINITE, fail, failed, predict_in_groups
from .original_image import load_rgb
from .seg_probabilities import (
    Rule,
    centre_threshold,
    probability_rule,
    seg_probabilities,
)

__all__ = ['RefinedSegmentor', 'refine_labels']

Probabilities = Literal['auto', 'softmax', 'sum']
# Parts and settings of a network that hooks and tools read from a model
_PARTS_OF_NETWORK = (
    'align_corners',
    'auxiliary_head',
    'backbone',
    'decode_head',
    'neck',
    'num_classes',
    'out_channels',
    'test_cfg',
    'train_cfg',
)


@MODELS.register_module()
class RefinedSegmentor(BaseSegmentor):
    """Refine the predictions of a segmentor with a seeder, Section 4.4.

    Training is the inner segmentor's own. A prediction is made of its class
    probabilities by ``refiner``, which may use the masks that
    ``LoadSAMMasks`` put into the data sample. Checkpoints have the keys of
    the inner segmentor, so that those of the plain config can be loaded and
    the other way round.

    Args:
        segmentor (dict): Config of any mmseg segmentor.
        refiner (dict): Config of a seeder, e.g. ``dict(type='SAMS')``.
        probabilities (str): How ``seg_logits`` become probabilities, see
            :func:`seg_probabilities`. ``'auto'`` knows mmseg's heads, see
            :func:`probability_rule`.
        has_background (bool, optional): True if class 0 is the background.
            If not, pixels that the refiner gives to no class keep the
            network's own prediction; see :func:`refine_labels`. None: what
            the data set says. ``tools/test.py`` looks at the name of its first
            class; elsewhere only ``reduce_zero_label`` means that there is
            none.
        data_preprocessor (dict, optional): Goes to the inner segmentor when
            that has none; mmengine puts the one of the config's top level
            here.
        pretrained (str, optional): The inner segmentor's, as mmseg's own
            tools set it from outside; likewise the next two.
        train_cfg (dict, optional): See ``pretrained``.
        test_cfg (dict, optional): See ``pretrained``.
        init_cfg (dict, optional): Initialisation, as in mmengine.

    Raises:
        ValueError: If ``probabilities`` is unknown.
        UserInputError: If they are ``'auto'`` and the segmentor is of no
            known kind.
    """

    def __init__(
        self,
        segmentor: ConfigType,
        refiner: ConfigType,
        probabilities: Probabilities = 'auto',
        has_background: bool | None = None,
        data_preprocessor: OptConfigType | nn.Module = None,
        pretrained: str | None = None,
        train_cfg: OptConfigType = None,
        test_cfg: OptConfigType = None,
        init_cfg: OptConfigType = None,
    ) -> None:
        if probabilities not in ('auto', 'softmax', 'sum'):
            raise ValueError(
                "probabilities must be 'auto', 'softmax' or 'sum', got "
                f'{probabilities!r}'
            )
        # Hand on what mmengine and mmseg's tools set from outside
        config = dict(segmentor)
        if data_preprocessor is not None:
            config.setdefault('data_preprocessor', data_preprocessor)
        outer = dict(
            pretrained=pretrained, train_cfg=train_cfg, test_cfg=test_cfg
        )
        config.update({k: v for k, v in outer.items() if v is not None})
        # Build the network and what refines it
        inner = MODELS.build(config)
        super().__init__(inner.data_preprocessor, init_cfg)
        self.segmentor = inner
        self.refiner: BaseSeeder = TASK_UTILS.build(refiner)
        self.probabilities: Rule = (
            probability_rule(inner)
            if probabilities == 'auto'
            else probabilities
        )
        self.has_background = has_background
        # Load and save under the keys of the plain network
        keep_plain_keys(self, 'segmentor')

    def __getattr__(self, name: str) -> Any:
        """Show the parts of the network that other tools look for."""
        if name in _PARTS_OF_NETWORK:
            return getattr(super().__getattr__('segmentor'), name)
        return super().__getattr__(name)

    def named_parameters(
        self,
        prefix: str = '',
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """Name the parameters as the checkpoints and the plain config do.

        Constructors of optimisers tell the layers by these names: under
        others all layers would silently get the rate of the last one.
        """
        start = f'{prefix}.' if prefix else ''
        for name, parameter in super().named_parameters(
            prefix, recurse, remove_duplicate
        ):
            plain = name.removeprefix(f'{start}segmentor.')
            yield (name if plain == name else start + plain), parameter

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Compute the inner segmentor's losses."""
        return self.segmentor.loss(inputs, data_samples)

    def test_step(self, data: Any) -> SampleList:
        """Predict a batch; its images may be of several sizes, or failed."""
        return predict_in_groups(super().test_step, data)

    def network_step(self, data: Any) -> SampleList:
        """Predict a batch by the network alone, without refinement."""
        return predict_in_groups(self.segmentor.test_step, data)

    def predict(
        self, inputs: Tensor, data_samples: SampleList | None = None
    ) -> SampleList:
        """Refine the inner segmentor's prediction image by image.

        Args:
            inputs (Tensor): Normalised images, (N, 3, H, W).
            data_samples (list[SegDataSample], optional): With ``sam_masks``
                if the refiner needs masks. Those with ``failure`` in their
                meta information are left alone.

        Returns:
            list[SegDataSample]: ``seg_logits`` of the inner segmentor and the
            refined ``pred_sem_seg``, int64, (1, H, W). A sample whose
            probabilities are not finite gets ``failure`` and neither.

        Raises:
            UserInputError: If the refiner needs masks and there are none.
        """
        # Predict only the images that did not fail
        if data_samples is not None and any(map(failed, data_samples)):
            good = [n for n, s in enumerate(data_samples) if not failed(s)]
            results = list(data_samples)
            if good:
                made = self.predict(inputs[good], [results[n] for n in good])
                for number, sample in zip(good, made, strict=True):
                    results[number] = sample
            return results
        # Predict by the network, then refine each image
        predictions = self.segmentor.predict(inputs, data_samples)
        for sample in predictions:
            scores = sample.seg_logits.data
            self.refine(sample, seg_probabilities(scores, self.probabilities))
        return predictions

    def refine(self, sample: SegDataSample, probabilities: Tensor) -> None:
        """Set ``pred_sem_seg`` of a sample from (C, H, W)."""
        # Give up a prediction that is not finite
        if not torch.isfinite(probabilities).all():
            fail(sample, NOT_FINITE)
            return
        # Gather what the refiner looks at
        masks = getattr(sample, 'sam_masks', None)
        if self.refiner.needs_masks and masks is None:
            raise UserInputError(
                'RefinedSegmentor expected `sam_masks` in the data sample of '
                f'{sample.get("img_path", "an image")}, got none. Add '
                "dict(type='LoadSAMMasks', mask_dir=...) to the test pipeline "
                "and end it with dict(type='PackWSSSInputs'): mmseg's own "
                'PackSegInputs leaves masks out. For a photo without masks '
                'take the config without SAMS: it reads the same checkpoint.'
            )
        image = None
        if self.refiner.needs_image:
            image = load_rgb(sample).to(probabilities.device)
        # Bring a single output to a threshold of one half
        if self.one_output:
            threshold = self.segmentor.decode_head.threshold
            probabilities = centre_threshold(probabilities, threshold)
        # Refine, and replace the network's own labels
        labels = refine_labels(
            self.refiner,
            probabilities,
            self._background_of(sample),
            masks,
            image,
        )
        sample.set_data(dict(pred_sem_seg=PixelData(data=labels[None].long())))

    @property
    def one_output(self) -> bool:
        """True if the network scores the foreground alone."""
        return getattr(self.segmentor, 'out_channels', None) == 1

    def _background_of(self, sample: SegDataSample) -> bool:
        if self.one_output:
            return True
        if self.has_background is None:
            return not sample.get('reduce_zero_label', False)
        return self.has_background

    def extract_feat(self, inputs: Tensor) -> Any:
        """Extract the inner segmentor's features."""
        return self.segmentor.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any) -> Tensor:
        """Compute the inner segmentor's scores."""
        return self.segmentor.encode_decode(inputs, batch_data_samples)

    def _forward(
        self, inputs: Tensor, data_samples: SampleList | None = None
    ) -> Any:
        return self.segmentor._forward(inputs, data_samples)


def refine_labels(
    refiner: BaseSeeder,
    probabilities: Tensor,
    has_background: bool,
    masks: SAMMasks | None = None,
    image: Tensor | None = None,
) -> Tensor:
    """Refine probabilities whose first channel may be no background.

    Refiners treat channel 0 as the background: what no mask covers goes to
    it. Without a background class an empty one is put in front, and pixels
    that it wins keep the class of the greatest probability.

    Args:
        refiner (BaseSeeder): Makes the labels.
        probabilities (Tensor): (C, H, W).
        has_background (bool): True if channel 0 is the background.
        masks (SAMMasks, optional): Masks of the image, (S, H, W).
        image (Tensor, optional): RGB, uint8, (H, W, 3).

    Returns:
        Tensor: Index of the channel that won, or 255, int64, (H, W).
    """
    if has_background:
        return refiner.refine(probabilities, masks, image).long()
    # Put an empty background in front
    empty = torch.zeros_like(probabilities[:1])
    labels = refiner.refine(torch.cat([empty, probabilities]), masks, image)
    labels = labels.long()
    # Give what no class won to the network's best, and shift back
    own = probabilities.argmax(0)
    refined = torch.where(labels == 0, own, labels - 1)
    return torch.where(labels == IGNORE_LABEL, labels, refined)
