# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's mask decoder for many single-point prompts on one image, fast.

Same weights and, up to rounding, same numbers as segment_anything's
``MaskDecoder.forward`` with ``multimask_output=True``, but

- what does not depend on the point is computed once an image, and the image
  tokens of a point are never written out (``factored_image.py``);
- only masks of points of which one has a high enough predicted IoU are
  upscaled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import Tensor
from torch.nn import functional as F

from .factored_image import FactoredImage, ImageOfPoints

__all__ = ['DecodedPoints', 'prepare_fast', 'prepare_plain']

MASKS_PER_POINT = 3  # sub-part, part, whole
# A CPU is fastest on as many points as its cache holds.
CPU_ELEMENTS = 1 << 19


@dataclass
class DecodedPoints:
    """Masks of a batch of points that passed the IoU filter.

    Attributes:
        logits (Tensor): Low-resolution mask logits, float32, (S, h, w).
        predicted_iou (Tensor): float32, (S,).
        levels (Tensor): 0 sub-part, 1 part, 2 whole, int64, (S,).
    """

    logits: Tensor
    predicted_iou: Tensor
    levels: Tensor

    @staticmethod
    def cat(batches: list['DecodedPoints']) -> 'DecodedPoints':
        """One batch after the other; there must be at least one."""
        return DecodedPoints(
            logits=torch.cat([b.logits for b in batches]),
            predicted_iou=torch.cat([b.predicted_iou for b in batches]),
            levels=torch.cat([b.levels for b in batches]),
        )


KeepRule = Callable[[Tensor], Tensor]  # predicted IoU (P, 3) -> bool (P, 3)
Decoder = Callable[[Tensor, KeepRule], DecodedPoints]


def prepare_plain(sam: Sam, embedding: Tensor) -> Decoder:
    """The same with segment_anything's own decoder, bit for bit its results.

    Args and Returns are those of ``prepare_fast``.
    """

    def decode(points: Tensor, keep_rule: KeepRule) -> DecodedPoints:
        sparse, dense = _embed_points(sam, points)
        logits, iou = sam.mask_decoder(
            image_embeddings=embedding,
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        sources = torch.nonzero(keep_rule(iou).flatten())[:, 0]
        return DecodedPoints(
            logits=logits.flatten(0, 1)[sources],
            predicted_iou=iou.flatten()[sources],
            levels=sources % MASKS_PER_POINT,
        )

    return decode


def prepare_fast(sam: Sam, embedding: Tensor) -> Decoder:
    """Prepare to decode points of an image.

    Args:
        sam (Sam): The network.
        embedding (Tensor): Output of its image encoder, (1, D, h, w).

    Returns:
        Callable: Takes points, x and y in pixels of the encoder's input,
        (P, 2), and the rule by which masks are kept; returns the kept ones of
        each point's three as DecodedPoints, at 4 h x 4 w.
    """
    _, dense = _embed_points(sam, embedding.new_zeros(1, 2))
    place = sam.prompt_encoder.get_dense_pe()
    image = FactoredImage(
        sam.mask_decoder,
        # Without a mask prompt the dense prompt is the same for every point.
        (embedding + dense)[0].flatten(1).T,
        place[0].flatten(1).T.to(embedding.dtype),
    )
    grid = (embedding.shape[2], embedding.shape[3])

    def decode(points: Tensor, keep_rule: KeepRule) -> DecodedPoints:
        size = len(points)
        if points.device.type == 'cpu':
            size = max(1, CPU_ELEMENTS // image.elements_per_point)
        return DecodedPoints.cat(
            [
                _decode(sam, image, grid, some, keep_rule)
                for some in points.split(max(1, size))
            ]
        )

    return decode


def _decode(
    sam: Sam,
    image: FactoredImage,
    grid: tuple[int, int],
    points: Tensor,
    keep_rule: KeepRule,
) -> DecodedPoints:
    decoder = sam.mask_decoder
    sparse, _ = _embed_points(sam, points)
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    prompt = torch.cat([own.expand(len(points), -1, -1), sparse], dim=1)
    tokens, seen = _two_way(decoder.transformer, prompt, image)
    # tokens: IoU token, then three mask tokens; (P, 4, D)
    iou = decoder.iou_prediction_head(tokens[:, 0])[:, 1:]
    sources = torch.nonzero(keep_rule(iou).flatten())[:, 0]
    if len(sources):
        used, rows = torch.unique_consecutive(
            sources // MASKS_PER_POINT, return_inverse=True
        )
        logits = _upscale(decoder, seen, tokens, used)
        logits = _in_order(logits[rows, sources % MASKS_PER_POINT], grid)
    else:
        logits = iou.new_zeros(0, 4 * grid[0], 4 * grid[1])
    return DecodedPoints(
        logits=logits,
        predicted_iou=iou.flatten()[sources],
        levels=sources % MASKS_PER_POINT,
    )


def _embed_points(sam: Sam, points: Tensor) -> tuple[Tensor, Tensor]:
    labels = torch.ones(len(points), 1, dtype=torch.int, device=points.device)
    sparse, dense = sam.prompt_encoder(
        points=(points[:, None], labels), boxes=None, masks=None
    )
    return sparse, dense


def _two_way(
    transformer: Any, prompt: Tensor, image: FactoredImage
) -> tuple[Tensor, ImageOfPoints]:
    """Tokens (P, T, D) to (P, 4, D), and what they made of the image."""
    tokens, seen = prompt, ImageOfPoints(image)
    for block in transformer.layers:
        if block.skip_first_layer_pe:
            tokens = block.self_attn(q=tokens, k=tokens, v=tokens)
        else:
            placed = tokens + prompt
            tokens = tokens + block.self_attn(q=placed, k=placed, v=tokens)
        tokens = block.norm1(tokens)
        tokens = tokens + seen.read(
            block.cross_attn_token_to_image, tokens + prompt
        )
        tokens = block.norm2(tokens)
        tokens = block.norm3(tokens + block.mlp(tokens))
        seen.update(block.cross_attn_image_to_token, tokens + prompt, tokens)
    # Nobody reads the single-mask token (1) and the points' tokens again.
    used = [0, 2, 3, 4]
    tokens = tokens[:, used]
    tokens = tokens + seen.read(
        transformer.final_attn_token_to_image, tokens + prompt[:, used]
    )
    return transformer.norm_final_attn(tokens), seen


def _upscale(
    decoder: Any, seen: ImageOfPoints, tokens: Tensor, points: Tensor
) -> Tensor:
    """Mask logits of some points, (P', 3, L, 16): an image token's pixels."""
    _, norm, activation, second, last = decoder.output_upscaling
    # The channels stay last.
    x = seen.upscaled(points)  # (P', L, 4, D / 4)
    x = F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps)
    kernel = second.weight.permute(0, 2, 3, 1).flatten(1)  # (D / 4, 4 D / 8)
    x = last(activation(x) @ kernel + second.bias.repeat(4))
    pixels = x.unflatten(-1, (4, -1)).flatten(1, 3)  # (P', 16 L, D / 8)
    weights = torch.stack(
        [
            mlp(tokens[points, 1 + level])
            for level, mlp in enumerate(decoder.output_hypernetworks_mlps[1:])
        ],
        dim=1,
    )  # (P', 3, D / 8)
    return (weights @ pixels.mT).unflatten(2, (-1, 16))


def _in_order(logits: Tensor, grid: tuple[int, int]) -> Tensor:
    """Pixels by image token, (S, L, 16), to images, (S, 4 h, 4 w)."""
    height, width = grid
    # row and column of a token, then twice those of the next finer grid
    cells = logits.unflatten(2, (2, 2, 2, 2)).unflatten(1, (height, width))
    return cells.permute(0, 1, 3, 5, 2, 4, 6).reshape(
        len(logits), 4 * height, 4 * width
    )
