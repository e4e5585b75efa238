# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Forward passes of the photo CLIP that a loss can look into."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ...models.clip.efficientnet_stem import STEM_CHANNELS
from ...models.clip.photo_clip import PHOTO_CLIP_ARCH

__all__ = ['Student', 'Towers', 'attend', 'build_student']

_MAX_SCALE = 100.0  # of the logits, as CLIP's
_EPSILON = 1e-3
_SAMPLE = 7  # every n-th photo tells mean and deviation
_PROJECT = 'visual.conv1.project'


@dataclass(frozen=True)
class Towers:
    """Hold the features of N photos below the end of the last block.

    Attributes:
        residual (Tensor): Input of the last block, (N, 1 + hw, D).
        tokens (Tensor): The same after ``ln_1``, (N, 1 + hw, D).
        attention (list[Tensor]): Of each block, mean over the heads,
            (N, 1 + hw, 1 + hw).
        places (Tensor): Embeddings of the places, (N, hw, E).
    """

    residual: Tensor
    tokens: Tensor
    attention: list[Tensor]
    places: Tensor


class Student(nn.Module):
    """The CLIP without its stem: it starts from the stem's features.

    Args:
        model (open_clip.CLIP): Whose ``visual.conv1`` is a 1 x 1 convolution
            of standardised features.
        mean (Tensor): Of the features, (352,).
        deviation (Tensor): Likewise.
    """

    def __init__(
        self, model: open_clip.CLIP, mean: Tensor, deviation: Tensor
    ) -> None:
        super().__init__()
        self.model = model
        self.mean = mean[:, None, None]
        self.deviation = deviation[:, None, None] + _EPSILON
        # Positions say nothing that the convolutions' borders do not, and
        # photos of all shapes come at test time.
        position = model.visual.positional_embedding
        nn.init.zeros_(position)
        position.requires_grad_(False)
        self.tie_query_and_key()

    @property
    def scale(self) -> Tensor:
        """Compute the inverse temperature of the logits."""
        return self.model.logit_scale.exp().clamp(max=_MAX_SCALE)

    def standardise(self, features: Tensor) -> Tensor:
        """Standardise features to mean 0 and deviation 1, (N, 352, h, w)."""
        return (features - self.mean) / self.deviation

    def forward(self, features: Tensor, keep: Tensor) -> Towers:
        """Run the image tower.

        Args:
            features (Tensor): Of the stem, (N, 352, h, w).
            keep (Tensor): 0 where the last block must do without its
                residual path, (N, 1, 1).
        """
        # Project the features, and prepend the class token
        visual = self.model.visual
        x = visual.conv1(self.standardise(features)).flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(len(x), 1, -1)
        x = visual.ln_pre(torch.cat([first, x], dim=1))
        # Run all blocks but the last, and keep their attention
        attention = []
        for block in visual.transformer.resblocks[:-1]:
            seen, weights = attend(block.attn, block.ln_1(x))
            attention.append(weights)
            x = x + seen
            x = x + block.mlp(block.ln_2(x))
        # Run the last block with the residual path that is kept
        tokens = visual.transformer.resblocks[-1].ln_1(x)
        places, weights = self.run_last_block(x, tokens, keep)
        return Towers(x, tokens, [*attention, weights], places)

    def run_last_block(
        self, residual: Tensor, tokens: Tensor, keep: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Embed the places, (N, hw, E), and return the attention."""
        # Add attention and MLP to what is kept of the residual
        visual = self.model.visual
        block = visual.transformer.resblocks[-1]
        seen, weights = attend(block.attn, tokens)
        x = keep * residual + seen
        x = x + block.mlp(block.ln_2(x))
        # Project the patches into the space of the texts
        return visual.ln_post(x)[:, 1:] @ visual.proj, weights

    def encode_text(self, ids: Tensor) -> Tensor:
        """Encode token numbers (G, 77) as normalised text features (G, E)."""
        # Cut the padding, which the causal mask hides anyway
        model, length = self.model, int(ids.argmax(dim=1).max()) + 1
        x = model.token_embedding(ids[:, :length])
        x = x + model.positional_embedding[:length]
        x = model.transformer(x, attn_mask=model.attn_mask[:length, :length])
        # Take the end token's state as the text
        x = model.ln_final(x)[torch.arange(len(x)), ids.argmax(dim=1)]
        return F.normalize(x @ model.text_projection, dim=1)

    def shipped_state(self) -> dict[str, Tensor]:
        """Collect all weights but the stem's convolutions, fp16, to save.

        The projection takes features as the stem gives them.
        """
        # Fold the standardisation into the projection
        state = dict(self.model.state_dict())
        weight = state.pop('visual.conv1.weight') / self.deviation
        shift = (weight * self.mean).sum(dim=(1, 2, 3))
        state[f'{_PROJECT}.bias'] = state.pop('visual.conv1.bias') - shift
        state[f'{_PROJECT}.weight'] = weight
        # Save as half floats, for a smaller file
        return {k: v.half().contiguous() for k, v in state.items()}

    def load_shipped(self, state: Mapping[str, Tensor]) -> None:
        """Start from what :meth:`shipped_state` gave an earlier student."""
        # Take the standardisation out of the projection again
        own = {name: value.float() for name, value in state.items()}
        weight = own.pop(f'{_PROJECT}.weight')
        shift = (weight * self.mean).sum(dim=(1, 2, 3))
        own['visual.conv1.bias'] = own.pop(f'{_PROJECT}.bias') + shift
        own['visual.conv1.weight'] = weight * self.deviation
        self.model.load_state_dict(own)

    @torch.no_grad()
    def tie_query_and_key(self) -> None:
        """Give query and key of each block their mean: one projection.

        Attention is then a similarity, which CAA needs.
        """
        # Average query and key in place, weights and biases
        for block in self.model.visual.transformer.resblocks:
            for tensor in (block.attn.in_proj_weight, block.attn.in_proj_bias):
                query, key, _ = tensor.chunk(3)
                mean = (query + key) / 2
                query.copy_(mean)
                key.copy_(mean)


def build_student(features: NDArray[np.float16]) -> Student:
    """Build a CLIP with random weights that starts from the stem's features.

    Args:
        features (ndarray): Of photos, for mean and deviation of the channels,
            (N, 352, h, w).
    """
    # Replace the patch projection by one of the stem's features
    model = open_clip.CLIP(**deepcopy(PHOTO_CLIP_ARCH))
    width = PHOTO_CLIP_ARCH['vision_cfg']['width']
    model.visual.conv1 = nn.Conv2d(STEM_CHANNELS, width, kernel_size=1)
    # Measure the features on a sample of the photos
    sample = features[::_SAMPLE].astype(np.float32)
    mean, deviation = sample.mean((0, 2, 3)), sample.std((0, 2, 3))
    return Student(model, torch.from_numpy(mean), torch.from_numpy(deviation))


def attend(
    attention: nn.MultiheadAttention, x: Tensor
) -> tuple[Tensor, Tensor]:
    """Attend by plain products, which can be differentiated twice.

    Args:
        attention (nn.MultiheadAttention): The module whose weights are used.
        x (Tensor): Normalised tokens, (N, L, D).

    Returns:
        tuple[Tensor, Tensor]: Output (N, L, D), weights (N, L, L).
    """
    # Split query, key and value into heads
    query, key, value = (
        part.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for part in F.linear(
            x, attention.in_proj_weight, attention.in_proj_bias
        ).chunk(3, dim=-1)
    )
    # Weight the values by scaled products
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    weights = scores.softmax(dim=-1)
    output = (weights @ value).transpose(1, 2).flatten(2)
    return attention.out_proj(output), weights.mean(dim=1)
