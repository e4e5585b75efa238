# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Softmax-GradCAM against the `grad-cam` package, where it is installed."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmfmwsss.models.cams import softmax_gradcam
from mmfmwsss.models.clip import FrozenCLIP
from mmfmwsss.workshop.tiny_models import random_clip

grad_cam = pytest.importorskip('pytorch_grad_cam')

C, G = 3, 5  # foreground classes, all prompts


class Scores(nn.Module):
    """Eq. 1 of one image, through open_clip's own blocks."""

    def __init__(self, clip: FrozenCLIP, text: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.visual = copy.deepcopy(clip.model.visual).requires_grad_()
        self.text, self.scale = text, clip.scale
        self.kept = [k for k in range(G) if k >= C or labels[k]]

    def forward(self, images: Tensor) -> Tensor:
        visual = self.visual
        x = visual.conv1(images).flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(len(x), 1, -1)
        x = torch.cat([first, x], dim=1) + visual.positional_embedding
        x = visual.transformer(visual.ln_pre(x))
        embedding = visual.ln_post(x)[:, 1:].mean(dim=1) @ visual.proj
        logits = self.scale * F.normalize(embedding, dim=1) @ self.text.T
        return logits[:, self.kept].softmax(dim=1)


def patches_as_image(tokens: Tensor) -> Tensor:
    return tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4))


def test_signed_maps_are_the_same() -> None:
    clip = random_clip()
    generator = torch.Generator().manual_seed(4)
    images = torch.randn(2, 3, 32, 32, generator=generator)
    labels = torch.tensor([[True, False, True], [False, True, False]])
    text = F.normalize(torch.randn(G, 16, generator=generator), dim=1)
    features = clip.encode_trunk(images)
    last_block = clip.run_last_block(features)
    ours, pairs = softmax_gradcam(
        features, last_block, text, clip.scale, labels
    )
    for cam, (n, c) in zip(ours, pairs.tolist(), strict=True):
        model = Scores(clip, text, labels[n]).eval()
        layer = model.visual.transformer.resblocks[-1].ln_1
        target = model.kept.index(c)
        with grad_cam.GradCAM(
            model=model,
            target_layers=[layer],
            reshape_transform=patches_as_image,
        ) as tool:
            image = images[n : n + 1]
            targets = [lambda scores, k=target: scores[k]]
            tool(image, targets)
            seen = tool.activations_and_grads
            theirs = tool.get_cam_image(  # before its ReLU and scaling
                image,
                layer,
                targets,
                seen.activations[0].numpy(),
                seen.gradients[0].numpy(),
            )
        expected = torch.from_numpy(theirs[0])
        assert expected.min() < 0 < expected.max()
        assert (cam - expected).abs().max() < 1e-5 * expected.abs().max()
