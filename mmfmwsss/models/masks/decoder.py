# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM's mask decoder for many single-point prompts on one image, fast.

Same weights and, up to rounding, same numbers as segment_anything's
``MaskDecoder.forward`` with ``multimask_output=True``, but

- what does not depend on the point (the image tokens of the first block) is
  not repeated for each point;
- the projections of the cross attention are moved to its short side: a point
  has 7 tokens, the image thousands, and ``(x W) k = x (W k)``;
- only masks whose predicted IoU is high enough are upscaled.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn

__all__ = ['DecodedPoints', 'decode_points', 'decode_points_plain']

MASKS_PER_POINT = 3  # sub-part, part, whole


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


KeepRule = Callable[[Tensor], Tensor]  # predicted IoU (P, 3) -> bool (P, 3)


def decode_points_plain(
    sam: Sam, embedding: Tensor, points: Tensor, keep_rule: KeepRule
) -> DecodedPoints:
    """The same with segment_anything's own decoder, bit for bit its results.

    Args and Returns are those of ``decode_points``.
    """
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


def decode_points(
    sam: Sam, embedding: Tensor, points: Tensor, keep_rule: KeepRule
) -> DecodedPoints:
    """Predict the three masks of each point and keep the good ones.

    Args:
        sam (Sam): The network.
        embedding (Tensor): Output of its image encoder, (1, D, h, w).
        points (Tensor): x, y in pixels of the encoder's input, (P, 2).
        keep_rule (Callable): Which masks to keep, by predicted IoU.

    Returns:
        DecodedPoints: The kept masks, at 4 h x 4 w.
    """
    decoder = sam.mask_decoder
    sparse, dense = _embed_points(sam, points)
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own.expand(len(points), -1, -1), sparse], dim=1)
    # Without a mask prompt the dense prompt is the same for every point.
    image = (embedding + dense[:1]).flatten(2).transpose(1, 2)  # (1, L, D)
    position = sam.prompt_encoder.get_dense_pe().flatten(2).transpose(1, 2)
    tokens, image = _two_way(decoder.transformer, tokens, image, position)
    # tokens: IoU token, then three mask tokens; (P, 4, D)
    iou = decoder.iou_prediction_head(tokens[:, 0])[:, 1:]
    sources = torch.nonzero(keep_rule(iou).flatten())[:, 0]
    if not len(sources):
        return _nothing(sam, iou)
    used, rows = torch.unique_consecutive(
        sources // MASKS_PER_POINT, return_inverse=True
    )
    height, width = embedding.shape[-2:]
    grid = image[used].transpose(1, 2).unflatten(2, (height, width))
    pixels = decoder.output_upscaling(grid)  # (P', D / 8, 4 h, 4 w)
    weights = torch.stack(
        [
            mlp(tokens[used, 1 + level])
            for level, mlp in enumerate(decoder.output_hypernetworks_mlps[1:])
        ],
        dim=1,
    )  # (P', 3, D / 8)
    logits = (weights @ pixels.flatten(2)).unflatten(2, pixels.shape[2:])
    return DecodedPoints(
        logits=logits[rows, sources % MASKS_PER_POINT],
        predicted_iou=iou.flatten()[sources],
        levels=sources % MASKS_PER_POINT,
    )


def _nothing(sam: Sam, like: Tensor) -> DecodedPoints:
    height, width = sam.prompt_encoder.mask_input_size
    return DecodedPoints(
        logits=like.new_zeros(0, height, width),
        predicted_iou=like.new_zeros(0),
        levels=like.new_zeros(0, dtype=torch.int64),
    )


def _embed_points(sam: Sam, points: Tensor) -> tuple[Tensor, Tensor]:
    labels = torch.ones(len(points), 1, dtype=torch.int, device=points.device)
    sparse, dense = sam.prompt_encoder(
        points=(points[:, None], labels), boxes=None, masks=None
    )
    return sparse, dense


def _two_way(
    transformer: Any, prompt: Tensor, image: Tensor, position: Tensor
) -> tuple[Tensor, Tensor]:
    """Tokens (P, T, D) and image (1, L, D) to (P, 4, D) and (P, L, D)."""
    tokens = prompt
    for block in transformer.layers:
        placed_image = image + position
        if block.skip_first_layer_pe:
            tokens = block.self_attn(q=tokens, k=tokens, v=tokens)
        else:
            placed = tokens + prompt
            tokens = tokens + block.self_attn(q=placed, k=placed, v=tokens)
        tokens = block.norm1(tokens)
        tokens = tokens + _tokens_read_image(
            block.cross_attn_token_to_image,
            tokens + prompt,
            placed_image,
            image,
        )
        tokens = block.norm2(tokens)
        tokens = block.norm3(tokens + block.mlp(tokens))
        image = block.norm4(
            image
            + _image_reads_tokens(
                block.cross_attn_image_to_token,
                placed_image,
                tokens + prompt,
                tokens,
            )
        )
    # Nobody reads the single-mask token (1) and the points' tokens again.
    used = [0, 2, 3, 4]
    tokens = tokens[:, used]
    tokens = tokens + _tokens_read_image(
        transformer.final_attn_token_to_image,
        tokens + prompt[:, used],
        image + position,
        image,
    )
    return transformer.norm_final_attn(tokens), image


def _heads(projection: nn.Linear, x: Tensor, heads: int) -> Tensor:
    """Project (P, T, D) and split into heads, (P, heads, T, c)."""
    return projection(x).unflatten(2, (heads, -1)).transpose(1, 2)


def _tokens_read_image(
    attention: Any, query: Tensor, key: Tensor, value: Tensor
) -> Tensor:
    """Cross attention of the few on the many, (P, T, D)."""
    heads = attention.num_heads
    q = _heads(attention.q_proj, query, heads)
    to_key = attention.k_proj.weight.unflatten(0, (heads, -1))  # (h, c, D)
    # The bias of the keys adds the same to all scores of a softmax.
    scores = (q @ to_key / math.sqrt(q.shape[-1])).flatten(1, 2) @ key.mT
    read = scores.softmax(dim=-1) @ value  # (P, heads * T, D)
    read = read.unflatten(1, (heads, -1))
    to_value = attention.v_proj.weight.unflatten(0, (heads, -1))
    out = (read @ to_value.mT).transpose(1, 2).flatten(2)
    return attention.out_proj(out + attention.v_proj.bias)


def _image_reads_tokens(
    attention: Any, query: Tensor, key: Tensor, value: Tensor
) -> Tensor:
    """Cross attention of the many on the few, (P, L, D)."""
    heads, count = attention.num_heads, key.shape[1]
    k = _heads(attention.k_proj, key, heads)
    k = k / math.sqrt(k.shape[-1])
    to_query = attention.q_proj.weight.unflatten(0, (heads, -1))
    bias = attention.q_proj.bias.unflatten(0, (heads, 1, -1))
    offset = (k * bias).sum(dim=-1).flatten(1)[:, :, None]
    scores = (k @ to_query).flatten(1, 2) @ query.mT + offset
    # (P, heads * T, L): softmax is slow over a short last dimension.
    share = scores.unflatten(1, (heads, count)).softmax(dim=2).flatten(1, 2)
    v = _heads(attention.v_proj, value, heads)
    from_value = attention.out_proj.weight.unflatten(1, (heads, -1))
    from_value = from_value.permute(1, 2, 0)  # (heads, c, D)
    return share.mT @ (v @ from_value).flatten(1, 2) + attention.out_proj.bias
