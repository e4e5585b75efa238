# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The step of the segmentation prompts written the obvious way."""

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from ...models.segmentors import CLIPPromptSegmentor

__all__ = ['Straightforward']

ALL_TOKENS = 77


class Straightforward:
    """Compute the step in the obvious way, to compare with.

    Args:
        model (CLIPPromptSegmentor): Whose weights, prompts and loss it uses.
        released (bool): One gradient of the whole batch a pair, and the
            attention of all blocks, as in the released code.
    """

    def __init__(
        self, model: CLIPPromptSegmentor, released: bool = False
    ) -> None:
        self.clip = model.clip.model
        self.stream = model.stream('segmentation')
        self.released = released

    def text(self) -> Tensor:
        """Encode all prompts, padded to 77 tokens, (G, E)."""
        clip, prompts = self.clip, self.stream.prompts
        # Pad the prompts, which our step cuts to their length
        embeddings = prompts.embeddings()
        padding = ALL_TOKENS - embeddings.shape[1]
        x = F.pad(embeddings, (0, 0, 0, padding)) + clip.positional_embedding
        # Take the end token's state as the text
        x = clip.transformer(x, attn_mask=clip.attn_mask)
        x = clip.ln_final(x)[torch.arange(len(x)), prompts.ends]
        return F.normalize(x @ clip.text_projection, dim=1)

    @torch.no_grad()
    def trunk(self, images: Tensor) -> Tensor:
        """Compute the input of the last block, (N, L, D)."""
        visual = self.clip.visual
        # Embed the patches, class token first
        x = visual.conv1(images).flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([first, x], dim=1) + visual.positional_embedding
        x = visual.ln_pre(x)
        # Run all blocks but the last
        for block in visual.transformer.resblocks[:-1]:
            if self.released:
                normalised = block.ln_1(x)
                x = x + block.attn(normalised, normalised, normalised)[0]
                x = x + block.mlp(block.ln_2(x))
            else:
                x = block(x)
        return x

    def embed(self, tokens: Tensor, residual: Tensor) -> Tensor:
        """Run last block and head, (N, E)."""
        visual = self.clip.visual
        block = visual.transformer.resblocks[-1]
        # With weights: fused attention has no second derivative.
        x = residual + block.attn(tokens, tokens, tokens)[0]
        x = x + block.mlp(block.ln_2(x))
        return visual.ln_post(x)[:, 1:].mean(dim=1) @ visual.proj

    def scores(
        self, embedding: Tensor, text: Tensor, labels: Tensor
    ) -> Tensor:
        """Compute the scores of Eq. 1."""
        logits = F.normalize(embedding, dim=1) @ text.T
        logits = self.clip.logit_scale.exp() * logits
        absent = F.pad(~labels, (0, logits.shape[1] - labels.shape[1]))
        return logits.masked_fill(absent, float('-inf')).softmax(dim=1)

    def cams(
        self, images: Tensor, labels: Tensor, text: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute maps by a gradient that is differentiable, (P, h, w)."""
        # Run the trunk, and list the pairs of image and class
        residual = self.trunk(images)
        block = self.clip.visual.transformer.resblocks[-1]
        pairs = labels.nonzero()
        image, category = pairs.unbind(1)
        with torch.no_grad():
            tokens = block.ln_1(residual)
        # Differentiate all pairs in one batched pass, as the released code
        if self.released:
            leaf = tokens.requires_grad_()
            scores = self.scores(self.embed(leaf, residual), text, labels)
            (grad,) = torch.autograd.grad(
                scores[image, category],
                leaf,
                torch.eye(len(pairs)),
                is_grads_batched=True,
                create_graph=True,
            )
            grad = grad[torch.arange(len(pairs)), image]
        else:
            # Copy the tokens for each pair, and differentiate the sum
            leaf = tokens[image].requires_grad_()
            embedding = self.embed(leaf, residual[image])
            scores = self.scores(embedding, text, labels[image])
            (grad,) = torch.autograd.grad(
                scores[torch.arange(len(pairs)), category].sum(),
                leaf,
                create_graph=True,
            )
        # Weight the channels by the gradient, Eq. 2
        weights = grad[:, 1:].mean(dim=1, keepdim=True)
        cams = (tokens.detach()[image, 1:] * weights).sum(dim=2)
        side = images.shape[-1] // self.clip.visual.patch_size[0]
        return cams.unflatten(1, (side, side)), pairs

    def loss(self, images: Tensor, samples: list[SegDataSample]) -> Tensor:
        """Compute L_CAL of the batch."""
        labels = torch.stack([s.image_labels for s in samples])
        seeds = torch.cat([s.gt_sem_seg.data for s in samples])
        cams, pairs = self.cams(images, labels, self.text())
        return self.stream.cam_loss(cams, pairs, seeds)['loss_cal']
