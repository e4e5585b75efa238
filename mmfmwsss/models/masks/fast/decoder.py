# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's mask decoder for many single-point prompts on one image, fast.

Same weights and, up to rounding, same numbers as segment_anything's
``MaskDecoder.forward`` with ``multimask_output=True``, but

- what does not depend on the point is computed once an image, and the image
  tokens of a point are never written out (``factored_image.py``);
- only masks of points of which one is kept are upscaled.
"""

from dataclasses import dataclass
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import Tensor
from torch.nn import functional as F

from ..sam_decoder import (
    MASKS_PER_POINT,
    DecodedPoints,
    PointMasks,
    embed_points,
)
from .factored_image import FactoredImage
from .image_of_points import ImageOfPoints
from .image_parts import ImageParts

__all__ = ['FastDecoder']

# A CPU is fastest on the image tokens of as many points as its cache holds,
CPU_ELEMENTS = 1 << 19
# and on the few tokens of more points, whose layers' weights it reads once.
CPU_POINTS = 8


class FastDecoder:
    """Decode points of an image; ``PlainDecoder`` is the same, slower.

    Args:
        sam (Sam): The network.
        embedding (Tensor): Output of its image encoder, (1, D, h, w).
    """

    def __init__(self, sam: Sam, embedding: Tensor) -> None:
        self.sam = sam
        self.grid = (embedding.shape[2], embedding.shape[3])
        self.on_cpu = embedding.device.type == 'cpu'
        # Without a mask prompt the dense prompt is the same for every point.
        _, dense = embed_points(sam, embedding.new_zeros(1, 2))
        position = sam.prompt_encoder.get_dense_pe()
        # Compute once what all points share of the image.
        self.image = FactoredImage(
            sam.mask_decoder,
            (embedding + dense)[0].flatten(1).T,
            position[0].flatten(1).T.to(embedding.dtype),
        )

    @property
    def mask_size(self) -> tuple[int, int]:
        """Height and width of the masks in pixels."""
        return 4 * self.grid[0], 4 * self.grid[1]

    def batch_size(self, most: int) -> int:
        """Choose how many points are decoded at once, at most ``most``."""
        if not self.on_cpu:
            return most
        return min(most, max(CPU_POINTS, self._points_of_part()))

    def _points_of_part(self) -> int:
        """Choose of how many points the image tokens are worked on at once."""
        return max(1, CPU_ELEMENTS // self.image.elements_per_point)

    def decode(self, points: Tensor) -> DecodedPoints:
        """Decode points up to their tokens; masks are made when asked for.

        Args:
            points (Tensor): x and y in pixels of the encoder's input,
                (points, 2).
        """
        decoder = self.sam.mask_decoder
        # Put the decoder's own tokens before those of the points.
        sparse, _ = embed_points(self.sam, points)
        own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
        prompt = torch.cat([own.expand(len(points), -1, -1), sparse], dim=1)
        # Let tokens and image attend to each other.
        size = self._points_of_part() if self.on_cpu else len(points)
        seen = ImageParts(self.image, len(points), size)
        tokens = _two_way(decoder.transformer, prompt, seen)
        # Predict the IoU of the three masks from the first token.
        predicted_iou = decoder.iou_prediction_head(tokens[:, 0])[:, 1:]
        return _FastPoints(decoder, self.grid, tokens, seen, predicted_iou)


@dataclass
class _FastPoints:
    """Points after the decoder's attention.

    Attributes:
        decoder (MaskDecoder): segment_anything's.
        grid (tuple[int, int]): h and w of the image tokens.
        tokens (Tensor): IoU token, then three mask tokens, (points, 4, D).
        seen (ImageParts): The image tokens of the points.
        predicted_iou (Tensor): Of the three masks, (points, 3).
    """

    decoder: Any
    grid: tuple[int, int]
    tokens: Tensor
    seen: ImageParts
    predicted_iou: Tensor

    def masks(self, keep: Tensor) -> PointMasks:
        """Make the masks for which ``keep``, bool (points, 3), is true."""
        sources = torch.nonzero(keep.flatten())[:, 0]
        levels = sources % MASKS_PER_POINT
        if len(sources):
            # Upscale each point once, whichever of its masks are kept.
            points, rows = torch.unique_consecutive(
                sources // MASKS_PER_POINT, return_inverse=True
            )
            logits = self.seen.map_points(self._upscale, points)
            logits = _in_order(logits[rows, levels], self.grid)
        else:
            height, width = self.grid
            logits = self.tokens.new_zeros(0, 4 * height, 4 * width)
        return PointMasks(
            logits, self.predicted_iou.flatten()[sources], levels
        )

    def _upscale(
        self, seen: ImageOfPoints, points: Tensor, numbers: Tensor
    ) -> Tensor:
        """Upscale the masks of some points of a part."""
        return _upscale(self.decoder, seen, self.tokens[numbers], points)


def _two_way(transformer: Any, prompt: Tensor, seen: ImageParts) -> Tensor:
    """Run tokens (P, T, D) to (P, 4, D), and the image tokens along."""
    tokens = prompt
    for block in transformer.layers:
        # Let the tokens of a point attend to each other.
        if block.skip_first_layer_pe:
            tokens = block.self_attn(q=tokens, k=tokens, v=tokens)
        else:
            placed = tokens + prompt
            tokens = tokens + block.self_attn(q=placed, k=placed, v=tokens)
        tokens = block.norm1(tokens)
        # Let them read from the image, then pass the MLP.
        tokens = tokens + seen.attend_to_image(
            block.cross_attn_token_to_image, tokens + prompt
        )
        tokens = block.norm2(tokens)
        tokens = block.norm3(tokens + block.mlp(tokens))
        # Let the image read from them.
        seen.attend_to_tokens(
            block.cross_attn_image_to_token, tokens + prompt, tokens
        )
    # Nobody reads the single-mask token (1) and the points' tokens again.
    used = [0, 2, 3, 4]
    tokens = tokens[:, used]
    tokens = tokens + seen.attend_to_image(
        transformer.final_attn_token_to_image, tokens + prompt[:, used]
    )
    output: Tensor = transformer.norm_final_attn(tokens)
    return output


def _upscale(
    decoder: Any, seen: ImageOfPoints, tokens: Tensor, points: Tensor
) -> Tensor:
    """Compute mask logits of some points, (P', 3, L, 16), by image token.

    Args:
        decoder (MaskDecoder): segment_anything's.
        seen (ImageOfPoints): Image tokens of a part of the points.
        tokens (Tensor): Of the points wanted, (P', 4, D).
        points (Tensor): Their numbers in the part, (P',).
    """
    _, norm, activation, second, last = decoder.output_upscaling
    # The channels stay last.
    x = seen.upscaled(points)  # (P', L, 4, D / 4)
    x = F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)
    # Apply the second transposed convolution as a matrix product.
    kernel = second.weight.permute(0, 2, 3, 1).flatten(1)  # (D / 4, 4 D / 8)
    x = last(activation(x) @ kernel + second.bias.repeat(4))
    pixels = x.unflatten(-1, (4, -1)).flatten(1, 3)  # (P', 16 L, D / 8)
    # Predict a mask's weights of the channels from its token.
    weights = torch.stack(
        [
            mlp(tokens[:, 1 + level])
            for level, mlp in enumerate(decoder.output_hypernetworks_mlps[1:])
        ],
        dim=1,
    )  # (P', 3, D / 8)
    return (weights @ pixels.mT).unflatten(2, (-1, 16))


def _in_order(logits: Tensor, grid: tuple[int, int]) -> Tensor:
    """Reorder pixels by image token, (S, L, 16), to images, (S, 4 h, 4 w)."""
    height, width = grid
    # row and column of a token, then twice those of the next finer grid
    cells = logits.unflatten(2, (2, 2, 2, 2)).unflatten(1, (height, width))
    return cells.permute(0, 1, 3, 5, 2, 4, 6).reshape(
        len(logits), 4 * height, 4 * width
    )
