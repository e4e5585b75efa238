# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Streams of prompts on one frozen CLIP, which make CAMs and logits."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import MODELS, TASK_UTILS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ...structures.class_prompts import ClassPrompts
from ...structures.class_tables import get_class_prompts
from ..cams import CAA, softmax_gradcam
from ..clip import (
    FrozenCLIP,
    ImageFeatures,
    LastBlock,
    PromptStream,
    TrunkCache,
    class_logits,
)
from .batch_seeds import BatchCAMs, stack_labels

__all__ = ['CLASSIFICATION', 'SEGMENTATION', 'CLIPStreams']

CLASSIFICATION, SEGMENTATION = 'classification', 'segmentation'


class _Frozen(NamedTuple):
    """Hold CLIP where nn.Module does not look for sub-modules."""

    clip: FrozenCLIP

    def __deepcopy__(self, memo: dict[int, Any]) -> '_Frozen':
        """Share CLIP, which never changes, with copies such as an EMA's."""
        return self


class CLIPStreams(BaseSegmentor):
    """Encode images and prompts by one frozen CLIP, and make CAMs of them.

    CLIP is no sub-module: checkpoints, optimisers and DDP see prompts only.

    Args:
        clip (dict): Config of :class:`FrozenCLIP`.
        class_prompts (str | dict): See :class:`CLIPPromptSegmentor`.
        streams (dict[str, dict]): Config of a ``CLIPPromptHead`` by name.
        caa (dict): Config of ``CAA``.
        official (bool): See :func:`present_softmax`.
        data_preprocessor (dict, optional): As in mmseg.
        init_cfg (dict, optional): As in mmengine.
    """

    def __init__(
        self,
        clip: dict[str, Any],
        class_prompts: str | dict[str, Any],
        streams: dict[str, dict[str, Any]],
        caa: dict[str, Any],
        official: bool,
        data_preprocessor: dict[str, Any] | None,
        init_cfg: dict[str, Any] | None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        # Build CLIP, then the prompts that are read by it
        self.class_prompts: ClassPrompts = get_class_prompts(class_prompts)
        self._frozen = _Frozen(MODELS.build(clip))
        given = dict(clip=self.clip, class_prompts=self.class_prompts)
        self.streams = nn.ModuleDict(
            {
                name: MODELS.build(dict(stream, **given))
                for name, stream in streams.items()
            }
        )
        self.caa: CAA = TASK_UTILS.build(caa)
        self.official = official
        self._trunk_cache: TrunkCache | None = None

    @property
    def clip(self) -> FrozenCLIP:
        """Return the frozen CLIP."""
        return self._frozen.clip

    def use_trunk_cache(self, cache: TrunkCache | None) -> None:
        """Train on views that a cache holds; None: encode each view anew."""
        self._trunk_cache = cache

    def stream(self, name: str) -> PromptStream:
        """Return the stream of that name."""
        return cast(PromptStream, self.streams[name])

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> 'CLIPStreams':
        """Move CLIP along, which nn.Module does not see."""
        self.clip._apply(fn)
        return cast('CLIPStreams', super()._apply(fn, recurse))

    def encode(
        self, inputs: Tensor, with_attention: bool = True
    ) -> tuple[ImageFeatures, LastBlock]:
        """Run the trunk, with or without attention, and the last block."""
        features = self.clip.encode_trunk(inputs, with_attention)
        return features, self.clip.run_last_block(features)

    def make_cams(
        self,
        features: ImageFeatures,
        last_block: LastBlock,
        text: Tensor,
        labels: Tensor,
        use_caa: bool = False,
    ) -> BatchCAMs:
        """Make CAMs by the prompts of a stream, refined by CAA or not."""
        # Make the signed maps of the present classes (Eq. 1 to 3)
        cams, pairs = softmax_gradcam(
            features, last_block, text, self.clip.scale, labels, self.official
        )
        # Refine them by the attention (Eq. 4)
        if use_caa:
            cams = self.caa(cams, features.attention, pairs[:, 0])
        return cams, pairs

    def logits(self, embedding: Tensor, text: Tensor) -> Tensor:
        """Compute cosine similarities over the temperature, (N, G)."""
        return class_logits(embedding, text, self.clip.scale)

    def stack_labels(
        self, data_samples: list[SegDataSample], device: torch.device
    ) -> Tensor:
        """Stack and check the image-level labels of a batch, bool, (N, C)."""
        classes = len(self.class_prompts.foreground)
        return stack_labels(data_samples, classes, device)

    @torch.no_grad()
    def encode_views(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample],
        with_attention: bool,
    ) -> tuple[ImageFeatures, LastBlock]:
        """Encode as :meth:`encode`, with the trunk's cache if there is one."""
        if self._trunk_cache is None:
            return self.encode(inputs, with_attention)
        # Take the views from the cache, which encodes unknown ones
        draws = [s.metainfo.get('sample_idx') for s in data_samples]
        features = self._trunk_cache.features(self.clip, inputs, draws)
        return features, self.clip.run_last_block(features)

    def score_classes(
        self, embedding: Tensor, data_samples: list[SegDataSample]
    ) -> None:
        """Set ``class_scores``, logits of the foreground classes, (C,)."""
        if CLASSIFICATION not in self.streams:
            return
        # Compare the images with the foreground prompts
        text = self.stream(CLASSIFICATION).frozen_text_features(self.clip)
        logits = self.logits(embedding, text)
        classes = len(self.class_prompts.foreground)
        for sample, scores in zip(
            data_samples, logits[:, :classes], strict=True
        ):
            sample.class_scores = scores

    def extract_feat(self, inputs: Tensor) -> ImageFeatures:
        """Run the trunk on normalised images."""
        return self.clip.encode_trunk(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any) -> Tensor:
        """Refuse: seeds need image-level labels; use ``predict``."""
        raise NotImplementedError('Use `predict`: seeds need image labels.')

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
        """Compute the logits of the first stream by name, (N, G)."""
        # Compare the images with all prompts of one stream
        _, last_block = self.encode(inputs)
        stream = self.stream(min(self.streams))
        text = stream.frozen_text_features(self.clip)
        return self.logits(last_block.embedding, text)
