# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's mask decoder for single points: what everything mode asks of it.

A decoder is made for the embedding of one image. It decodes a batch of points
first and makes their masks when it is told which are kept, so that one that
is clever about it (``fast/decoder.py``) never makes the others.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from segment_anything.modeling import Sam
from torch import Tensor

__all__ = [
    'MASKS_PER_POINT',
    'DecodedPoints',
    'PlainDecoder',
    'PointDecoder',
    'PointMasks',
    'embed_points',
]

MASKS_PER_POINT = 3  # sub-part, part, whole


@dataclass
class PointMasks:
    """Masks of points at the decoder's size, in the order of the points.

    Attributes:
        logits (Tensor): Mask logits, float32, (S, h, w).
        predicted_iou (Tensor): float32, (S,).
        levels (Tensor): 0 sub-part, 1 part, 2 whole, int64, (S,).
    """

    logits: Tensor
    predicted_iou: Tensor
    levels: Tensor

    @staticmethod
    def cat(batches: list['PointMasks']) -> 'PointMasks':
        """Join batches, of which there must be at least one."""
        return PointMasks(
            logits=torch.cat([b.logits for b in batches]),
            predicted_iou=torch.cat([b.predicted_iou for b in batches]),
            levels=torch.cat([b.levels for b in batches]),
        )


class DecodedPoints(Protocol):
    """A batch of decoded points, whose masks may not be made yet."""

    predicted_iou: Tensor  # (points, 3)

    def masks(self, keep: Tensor) -> PointMasks:
        """Make the masks for which ``keep``, bool (points, 3), is true."""
        ...


class PointDecoder(Protocol):
    """A decoder for the points of one image."""

    @property
    def mask_size(self) -> tuple[int, int]:
        """Height and width of the masks in pixels."""
        ...

    def batch_size(self, most: int) -> int:
        """Choose how many points are decoded at once, at most ``most``."""
        ...

    def decode(self, points: Tensor) -> DecodedPoints:
        """Decode points, x and y in the encoder's input, (points, 2)."""
        ...


@dataclass
class _PlainPoints:
    logits: Tensor  # (points, 3, h, w)
    predicted_iou: Tensor

    def masks(self, keep: Tensor) -> PointMasks:
        sources = torch.nonzero(keep.flatten())[:, 0]
        return PointMasks(
            logits=self.logits.flatten(0, 1)[sources],
            predicted_iou=self.predicted_iou.flatten()[sources],
            levels=sources % MASKS_PER_POINT,
        )


class PlainDecoder:
    """Run segment_anything's own decoder, with its results bit for bit.

    Args:
        sam (Sam): The network.
        embedding (Tensor): Output of its image encoder, (1, D, h, w).
    """

    def __init__(self, sam: Sam, embedding: Tensor) -> None:
        self.sam = sam
        self.embedding = embedding

    @property
    def mask_size(self) -> tuple[int, int]:
        """Height and width of the masks in pixels."""
        return 4 * self.embedding.shape[2], 4 * self.embedding.shape[3]

    def batch_size(self, most: int) -> int:
        """Take as many points as are allowed."""
        return most

    def decode(self, points: Tensor) -> DecodedPoints:
        """Decode points with all their masks, at 4 h x 4 w.

        Args:
            points (Tensor): x and y in pixels of the encoder's input,
                (points, 2).
        """
        sparse, dense = embed_points(self.sam, points)
        logits, predicted_iou = self.sam.mask_decoder(
            image_embeddings=self.embedding,
            image_pe=self.sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        return _PlainPoints(logits, predicted_iou)


def embed_points(sam: Sam, points: Tensor) -> tuple[Tensor, Tensor]:
    """Embed foreground points as prompts.

    Args:
        sam (Sam): The network.
        points (Tensor): x and y in pixels of the encoder's input, (points, 2).

    Returns:
        tuple[Tensor, Tensor]: Sparse prompts, (points, 2, D): the point and
        its padding; and the dense prompt that all points share,
        (points, D, h, w).
    """
    labels = torch.ones(len(points), 1, dtype=torch.int, device=points.device)
    sparse, dense = sam.prompt_encoder(
        points=(points[:, None], labels), boxes=None, masks=None
    )
    return sparse, dense
