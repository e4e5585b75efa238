# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Small models with random weights, of the real classes, for tests."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.clip import FrozenCLIP

__all__ = ['OpenAIArchive', 'embed_image', 'random_clip', 'random_clip_arch']


def random_clip_arch(layers: int = 3) -> dict[str, Any]:
    """Return arguments of an ``open_clip.CLIP`` of a few thousand weights.

    The token table is the standard one, so that real names can be used.
    """
    return dict(
        embed_dim=16,
        vision_cfg=dict(
            layers=layers,
            width=32,
            head_width=16,
            patch_size=8,
            image_size=32,
        ),
        text_cfg=dict(width=16, heads=2, layers=2),
    )


def random_clip(seed: int = 0, layers: int = 3) -> FrozenCLIP:
    """Build a frozen CLIP of :func:`random_clip_arch`, randomly weighted.

    Biases and positions are random too, so that no term of a formula hides
    behind a zero.
    """
    # Draw the weights without a trace in the caller's generator
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        clip = FrozenCLIP(random_clip_arch(layers), attention_layers=2)
        # Add noise, so that no gain is 1 and no bias 0
        for name, parameter in clip.named_parameters():
            if parameter.ndim >= 1 and 'token_embedding' not in name:
                parameter.data += 0.05 * torch.randn_like(parameter)
    return clip


def embed_image(clip: FrozenCLIP, tokens: Tensor, residual: Tensor) -> Tensor:
    """Run last block and head, spelled out so that all derivatives exist.

    A reference for the closed form of :class:`~..models.clip.LastBlock`.

    Args:
        clip (FrozenCLIP): The frozen model.
        tokens (Tensor): Normalised input of the last block, (N, L, D).
        residual (Tensor): Its input before the normalisation, (N, L, D).

    Returns:
        Tensor: Image embedding, not normalised, (N, E).
    """
    # Split query, key and value into heads
    visual = clip.model.visual
    block = visual.transformer.resblocks[-1]
    attention = block.attn
    query, key, value = (
        part.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for part in F.linear(
            tokens, attention.in_proj_weight, attention.in_proj_bias
        ).chunk(3, dim=-1)
    )  # (N, heads, L, D')
    # Attend by plain products, which can be differentiated twice
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    output = (scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2)
    # Add both residuals, and embed the mean of the patches
    x = residual + block.ls_1(attention.out_proj(output))
    x = x + block.ls_2(block.mlp(block.ln_2(x)))
    return visual.ln_post(x)[:, 1:].mean(dim=1) @ visual.proj


class OpenAIArchive(nn.Module):
    """CLIP's weights under the names of OpenAI's TorchScript archive.

    ``torch.jit.trace(OpenAIArchive(clip, 224), torch.ones(1))`` can be saved
    as an archive of the same layout.

    Args:
        model (nn.Module): An ``open_clip.CLIP``.
        input_resolution (int): Side of its images, pixels.
    """

    def __init__(self, model: nn.Module, input_resolution: int) -> None:
        # Take over the parts that a traced CLIP has
        super().__init__()
        for name in ('visual', 'transformer', 'token_embedding', 'ln_final'):
            setattr(self, name, getattr(model, name))
        for name in ('positional_embedding', 'text_projection', 'logit_scale'):
            setattr(self, name, getattr(model, name))
        # Add the numbers that it keeps beside them
        extras = dict(
            input_resolution=input_resolution,
            context_length=77,
            vocab_size=49408,
        )
        for name, value in extras.items():
            self.register_buffer(name, torch.tensor(value))

    def forward(self, x: Tensor) -> Tensor:
        """Touch a parameter, so that tracing has something to record."""
        return x * cast(Tensor, self.logit_scale)
