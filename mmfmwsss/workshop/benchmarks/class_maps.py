# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time CAM and affinity of one image against doing it class by class.

ViT-B/16 with random weights on 384 x 512 pixels, with 1, 2 and 4 present
classes. The straightforward way runs the trunk once, as we do, and then for
each class the last block with autograd and the affinity with its matrix
power, as CLIP-ES. Where it is installed, the `grad-cam` package is timed, too,
as a user would call it: the whole ViT, forward and backward, for each class,
then the affinity for each class.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...models.cams import CAA, box_mask, sinkhorn_affinity, softmax_gradcam
from ...models.clip import FrozenCLIP, ImageFeatures
from ...models.normalise import min_max_over_image
from ..tiny_models import embed_image, random_clip
from .comparison import (
    Row,
    Settings,
    check,
    is_installed,
    relative_difference,
    rows_of_threads,
)

__all__ = ['ClassByClass', 'GradCAMPackage', 'compare_class_maps', 'our_maps']

CLASSES, BACKGROUNDS = 20, 25
# Largest relative difference of the refined maps: a box may differ by a patch
# where rounding decides, which random maps do not show.
LIMIT = 1e-3


def compare_class_maps(settings: Settings) -> Iterator[Row]:
    """Measure an image with 1, 2 and 4 classes."""
    # Build CLIP, an image and text features at random
    torch.manual_seed(0)
    if settings.quick:
        clip, size, repeats = random_clip(), (32, 48), 1
    else:
        clip, size, repeats = FrozenCLIP('ViT-B-16-quickgelu'), (384, 512), 2
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(1, 3, *size, generator=generator)
    width = clip.model.visual.output_dim
    text = torch.randn(CLASSES + BACKGROUNDS, width, generator=generator)
    text = F.normalize(text, dim=1)
    for count in (1, 2, 4):
        labels = torch.arange(CLASSES)[None] < count
        yield from _rows(clip, image, text, labels, repeats, settings)


def _rows(
    clip: FrozenCLIP,
    image: Tensor,
    text: Tensor,
    labels: Tensor,
    repeats: int,
    settings: Settings,
) -> Iterator[Row]:
    slow = ClassByClass(clip, text, labels)
    ways: dict[str, Callable[[], Tensor]] = dict(
        ours=lambda: our_maps(clip, image, text, labels),
        straightforward=lambda: slow(image),
    )
    if is_installed('pytorch_grad_cam'):
        package = GradCAMPackage(clip, text, labels)
        ways['grad-cam package'] = lambda: package(image)
    # Compare the maps of all ways with ours
    ours = ways['ours']()
    differences = [
        relative_difference(ours, way())
        for name, way in ways.items()
        if name != 'ours'
    ]
    equality = check('maps', max(differences), LIMIT)
    yield from rows_of_threads(
        f'CAM and CAA, {int(labels.sum())} classes',
        equality,
        ways,
        repeats,
        settings.threads,
        warm_up=0,  # the comparison was one
    )


@torch.no_grad()
def our_maps(
    clip: FrozenCLIP, image: Tensor, text: Tensor, labels: Tensor
) -> Tensor:
    """Make the refined maps of all present classes at once, (P, h, w)."""
    features = clip.encode_trunk(image)
    cams, pairs = softmax_gradcam(
        features, clip.run_last_block(features), text, clip.scale, labels
    )
    return CAA()(cams, features.attention, pairs[:, 0])


class ClassByClass:
    """Make the maps one after the other.

    Args:
        clip (FrozenCLIP): The model.
        text (Tensor): L2-normalised text features, foreground first, (G, E).
        labels (Tensor): Present classes, bool, (1, C).
    """

    def __init__(self, clip: FrozenCLIP, text: Tensor, labels: Tensor) -> None:
        # Leave the absent classes out of the softmax, Eq. 1
        present = F.pad(
            labels[0], (0, len(text) - labels.shape[1]), value=True
        )
        self.text = text[present]
        self.count = int(labels.sum())
        self.clip = clip

    def __call__(self, image: Tensor) -> Tensor:
        """Make all maps, (P, h, w)."""
        features = self.clip.encode_trunk(image)
        maps = [self.cam(image, features, k) for k in range(self.count)]
        return torch.stack([refine(cam, features) for cam in maps])

    def cam(self, image: Tensor, features: ImageFeatures, k: int) -> Tensor:
        """Make the signed map of the k-th present class, (h, w)."""
        del image
        # Score the classes by the last block, Eq. 1
        tokens = features.tokens.detach().requires_grad_()
        embedding = embed_image(self.clip, tokens, features.residual)
        scores = self.scores(embedding)
        # Weigh the channels by their mean gradient, Eq. 2 and 3
        (grad,) = torch.autograd.grad(scores[0, k], tokens)
        weights = grad[:, 1:].mean(dim=1, keepdim=True)
        cam = (features.tokens[:, 1:] * weights).sum(dim=2)
        return cam[0].unflatten(0, features.grid)

    def scores(self, embedding: Tensor) -> Tensor:
        """Compute the softmax of Eq. 1, (1, K)."""
        direction = F.normalize(embedding, dim=1)
        return (self.clip.scale * direction @ self.text.T).softmax(dim=1)


class GradCAMPackage(ClassByClass):
    """Make the maps with the `grad-cam` package, arguments as above."""

    def __init__(self, clip: FrozenCLIP, text: Tensor, labels: Tensor) -> None:
        super().__init__(clip, text, labels)
        from pytorch_grad_cam import GradCAM

        # Give the package a ViT of its own, for its hooks stay there
        self.visual = copy.deepcopy(clip.model.visual)
        self.grid = (0, 0)
        self.tool = GradCAM(
            model=_Scores(self),
            target_layers=[self.visual.transformer.resblocks[-1].ln_1],
            reshape_transform=self.as_image,
        )

    def as_image(self, tokens: Tensor) -> Tensor:
        """Lay the patches out, (1, D, h, w)."""
        return tokens[:, 1:].transpose(1, 2).unflatten(2, self.grid)

    def cam(self, image: Tensor, features: ImageFeatures, k: int) -> Tensor:
        """Make the signed map by the package, (h, w)."""
        self.grid = features.grid
        targets = [lambda scores: scores[k]]
        # Run forward and backward; then ask for the map before its ReLU
        leaf = image.detach().requires_grad_()
        self.tool(leaf, targets)
        seen = self.tool.activations_and_grads
        cam: Any = self.tool.get_cam_image(
            leaf,
            self.tool.target_layers[0],
            targets,
            seen.activations[0].numpy(),
            seen.gradients[0].numpy(),
        )
        return torch.from_numpy(cam[0])


class _Scores(nn.Module):
    """Score an image by the whole ViT, Eq. 1."""

    def __init__(self, ways: GradCAMPackage) -> None:
        super().__init__()
        self.visual = ways.visual
        self.ways = [ways]  # no sub-module
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        ways, visual = self.ways[0], self.visual
        x, _ = ways.clip._embed_patches(image)
        x = visual.transformer(x)
        embedding = visual.ln_post(x)[:, 1:].mean(dim=1) @ visual.proj
        return ways.scores(embedding)


def refine(cam: Tensor, features: ImageFeatures) -> Tensor:
    """Refine one map, Eq. 4, with the affinity and its power made for it."""
    score = min_max_over_image(cam[None], False, 1)[0]
    affinity = sinkhorn_affinity(features.attention, rounds=3)[0]
    power = affinity @ affinity
    source = score * box_mask(score, threshold=0.4)
    return (power @ source.flatten()).unflatten(0, cam.shape)
