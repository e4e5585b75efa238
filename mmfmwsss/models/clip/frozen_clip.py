# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The frozen CLIP: image trunk, last block with head, and text tower."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .frozen_linear import feed_forward, project_heads
from .last_block import LastBlock, attention_weights
from .loading import build_clip
from .text_tower import PrefixCache, encode_prefix, encode_rest

__all__ = ['FrozenCLIP', 'ImageFeatures']

# Images at once on a CPU: more would only leave its caches
_CPU_IMAGES = 4


@dataclass
class ImageFeatures:
    """Output of the trunk below the last block, for a batch of images.

    Attributes:
        tokens (Tensor): Output of ``ln_1`` of the last block, class token
            first, (N, L, D) with L = 1 + h * w. Eq. 2 and 3 call the patch
            part of it F.
        residual (Tensor): Input of the last block, (N, L, D).
        attention (Tensor): Attention between patches, averaged over the heads
            and the last ``attention_layers`` blocks, (N, hw, hw); (N, 0, 0)
            if it was not asked for.
        grid (tuple[int, int]): (h, w) patches.
    """

    tokens: Tensor
    residual: Tensor
    attention: Tensor
    grid: tuple[int, int]

    def __getitem__(self, index: Tensor) -> 'ImageFeatures':
        """Select the features of some images of the batch."""
        return ImageFeatures(
            self.tokens[index],
            self.residual[index],
            self.attention[index],
            self.grid,
        )


@MODELS.register_module()
class FrozenCLIP(BaseModule):
    """Run CLIP with frozen weights, split where Softmax-GradCAM looks into it.

    The image embedding is the mean of the patch tokens, projected, as in
    `CLIP-ES <https://arxiv.org/abs/2212.09506>`_ and FMA-WSSS. The trunk below
    the last block carries no gradient; the last block is a pure function of
    its normalised input, so that Softmax-GradCAM can differentiate it.

    Args:
        arch (str | dict): Name of an open_clip ViT, or the arguments of
            ``open_clip.CLIP``, or ``'photo_clip'``, whose frozen convolutions
            are part of the trunk; see :func:`build_photo_clip`.
        checkpoint (str, optional): See :func:`build_clip`.
        attention_layers (int): Blocks whose attention CAA averages. Default:
            8, as CLIP-ES; fewer where the ViT has fewer.
        stem_checkpoint (str, optional): See :func:`build_photo_clip`.
    """

    def __init__(
        self,
        arch: str | dict[str, Any],
        checkpoint: str | None = None,
        attention_layers: int = 8,
        stem_checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        self.model, self.description = build_clip(
            arch, checkpoint, stem_checkpoint
        )
        self.attention_layers = attention_layers

    @property
    def patch_size(self) -> int:
        """Side of a patch, pixels."""
        return int(self.model.visual.patch_size[0])

    @property
    def scale(self) -> Tensor:
        """Inverse temperature 1 / tau of the logits."""
        return self.model.logit_scale.exp()

    def train(self, mode: bool = True) -> 'FrozenCLIP':
        """Stay in eval mode: the model is frozen."""
        del mode
        return super().train(False)

    # ------------------------------------------------------------------
    # Image side
    # ------------------------------------------------------------------

    @torch.no_grad()
    def encode_trunk(
        self, images: Tensor, with_attention: bool = True
    ) -> ImageFeatures:
        """Run everything below the last block's attention.

        Args:
            images (Tensor): Normalised images, (N, 3, H, W), H and W
                multiples of the patch size.
            with_attention (bool): Also average the attention that CAA reads.

        Returns:
            ImageFeatures: In fp32.

        Raises:
            ValueError: If a side is no multiple of the patch size.
        """
        # Run a few images at a time on a CPU
        on_cpu = images.device.type == 'cpu'
        parts = images.split(_CPU_IMAGES) if on_cpu else (images,)
        residuals, attentions = zip(
            *(self._run_trunk(part, with_attention) for part in parts),
            strict=True,
        )
        # Join the parts, normalised for the last block
        patch = self.patch_size
        grid = (images.shape[-2] // patch, images.shape[-1] // patch)
        return self.resume_trunk(
            torch.cat(residuals), torch.cat(attentions), grid
        )

    @torch.no_grad()
    def resume_trunk(
        self, residual: Tensor, attention: Tensor, grid: tuple[int, int]
    ) -> ImageFeatures:
        """Rebuild features from a cached residual and attention.

        Args:
            residual (Tensor): As in :class:`ImageFeatures`, (N, L, D).
            attention (Tensor): Likewise, (N, hw, hw) or (N, 0, 0).
            grid (tuple[int, int]): (h, w) patches.

        Returns:
            ImageFeatures: In fp32.
        """
        with torch.autocast(residual.device.type, enabled=False):
            tokens = self.model.visual.transformer.resblocks[-1].ln_1(residual)
        return ImageFeatures(tokens, residual, attention, grid)

    def _run_trunk(
        self, images: Tensor, with_attention: bool
    ) -> tuple[Tensor, Tensor]:
        """Compute the last block's input and the attention of images."""
        tokens, _ = self._embed_patches(images)
        # Find the blocks whose attention CAA averages
        blocks = self.model.visual.transformer.resblocks
        first_seen = len(blocks) - min(self.attention_layers, len(blocks))
        # Run all blocks but the last, and add up the attention asked for
        attention = torch.zeros((), device=images.device)
        for number, block in enumerate(blocks[:-1]):
            query, key, value = project_heads(block.attn, block.ln_1(tokens))
            if with_attention and number >= first_seen:
                weights = attention_weights(query, key)
                seen = weights @ value
                attention = attention + _between_patches(weights)
            else:
                seen = F.scaled_dot_product_attention(query, key, value)
            tokens = feed_forward(block, tokens, seen)
        # Stop before the last block, which Softmax-GradCAM looks into
        residual = tokens.float()
        if not with_attention:
            return residual, residual.new_zeros(len(images), 0, 0)
        # Add the attention of the last block
        with torch.autocast(images.device.type, enabled=False):
            normalised = blocks[-1].ln_1(residual)
            query, key, _ = project_heads(blocks[-1].attn, normalised)
            weights = attention_weights(query, key)
            attention = attention + _between_patches(weights)
        # Average over the blocks
        return residual, attention / (len(blocks) - first_seen)

    def _embed_patches(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        visual, patch = self.model.visual, self.patch_size
        height, width = images.shape[-2:]
        if height % patch or width % patch:
            raise ValueError(
                f'Expected image sides to be multiples of {patch}, but got '
                f'{height} x {width}. Use ResizeToPatchMultiple or a crop of '
                f'such a size in the pipeline.'
            )
        # Cut into patches, and put the class token first
        x = visual.conv1(images)  # (N, D, h, w)
        grid = (x.shape[-2], x.shape[-1])
        x = x.flatten(2).transpose(1, 2)
        class_token = visual.class_embedding.to(x.dtype)
        x = torch.cat([class_token.expand(len(x), 1, -1), x], dim=1)
        # Add the positions, resized to this patch grid
        position = resize_position(
            visual.positional_embedding, visual.grid_size, grid
        )
        return visual.ln_pre(x + position.to(x.dtype)), grid

    @torch.no_grad()
    def run_last_block(self, features: ImageFeatures) -> LastBlock:
        """Run the last block and the head at the features of images."""
        with torch.autocast(features.tokens.device.type, enabled=False):
            return LastBlock(self.model, features.tokens, features.residual)

    # ------------------------------------------------------------------
    # Text side
    # ------------------------------------------------------------------

    def encode_prompts(self, embeddings: Tensor, ends: Tensor) -> Tensor:
        """Encode prompts given as token embeddings.

        The text tower is causal and reads the end token only, so prompts need
        not be padded to the 77 tokens of CLIP: cut at the longest is exact.

        Args:
            embeddings (Tensor): Token embeddings, (G, T, D), T <= 77.
            ends (Tensor): Position of the end token, int64, (G,).

        Returns:
            Tensor: L2-normalised text features, (G, E).
        """
        # Run the causal tower as far as the longest prompt goes
        model, length = self.model, embeddings.shape[1]
        x = embeddings + model.positional_embedding[:length]
        x = model.transformer(x, attn_mask=model.attn_mask[:length, :length])
        # Read the end tokens
        return self._project_text(
            x[torch.arange(len(x), device=x.device), ends]
        )

    def encode_prefix(
        self, embeddings: Tensor, lengths: Tensor
    ) -> PrefixCache:
        """Run the first tokens of prompts; see :func:`encode_prefix`."""
        return encode_prefix(self.model, embeddings, lengths)

    def encode_rest(
        self, starts: PrefixCache, embeddings: Tensor, ends: Tensor
    ) -> Tensor:
        """Encode prompts whose prefixes were run before, (G, E).

        The same as :meth:`encode_prompts` of the whole; see
        :func:`encode_rest`.
        """
        return self._project_text(
            encode_rest(self.model, starts, embeddings, ends)
        )

    def _project_text(self, x: Tensor) -> Tensor:
        """Project outputs at the end tokens, (G, D), and normalise them."""
        model = self.model
        x = model.ln_final(x)
        if isinstance(model.text_projection, nn.Linear):
            x = model.text_projection(x)
        else:
            x = x @ model.text_projection
        return F.normalize(x.float(), dim=-1)

    def embed_tokens(self, ids: Tensor) -> Tensor:
        """Look up token embeddings, without positions."""
        return self.model.token_embedding(ids)


def _between_patches(weights: Tensor) -> Tensor:
    """Average attention over the heads, without the class token, fp32."""
    return weights.mean(dim=1)[:, 1:, 1:].float()


def resize_position(
    position: Tensor, source: Sequence[int], target: Sequence[int]
) -> Tensor:
    """Resize the positional embedding to another patch grid.

    Args:
        position (Tensor): Class position first, (1 + h0 * w0, D).
        source (Sequence[int]): (h0, w0).
        target (Sequence[int]): (h, w).

    Returns:
        Tensor: Bilinearly resized, class position unchanged, (1 + h * w, D).
    """
    if tuple(source) == tuple(target):
        return position
    # Lay the patches' positions out as a map, and resize that
    patches = position[1:].T.reshape(1, -1, *source)
    patches = F.interpolate(
        patches, size=tuple(target), mode='bilinear', align_corners=False
    )
    # Put the class position back in front
    return torch.cat([position[:1], patches.flatten(2)[0].T])
