# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Batches of photos for the training of the photo CLIP."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .teacher import PhotoFeatures, Teacher

__all__ = ['Batch', 'Settings', 'draw_batches']


@dataclass(frozen=True)
class Settings:
    """Set how to train; the record keeps it.

    Attributes:
        steps (int): Of the optimiser.
        batch (int): Photos a step.
        lr (float): Highest learning rate of the one-cycle schedule.
        seed (int): Of everything drawn.
        place_weight (float): Of :func:`place_loss`.
        cam_weight (float): Of :func:`cam_loss`.
        attention_weight (float): Of :func:`attention_loss`.
        temperature (float): Of the likeness that attention learns.
        other_names (int): Names a step beyond the photos' captions.
        places (int): Places of a photo that :func:`place_loss` reads.
        maps (int): Photos a step whose CAMs and attention are compared.
        drop_residual (float): Share of photos whose last block does without
            its residual path, so that what is named passes its attention,
            which Grad-CAM reads.
        pooled_share (float): Share of steps on whole photos at half the
            tokens a side.
        window_share (float): Share of steps on windows of ``window`` tokens.
        window (int): Tokens a side. The other steps see whole photos.
    """

    steps: int = 3000
    batch: int = 64
    lr: float = 1e-3
    seed: int = 0
    place_weight: float = 2.0
    cam_weight: float = 3.0
    attention_weight: float = 0.5
    temperature: float = 0.1
    other_names: int = 64
    places: int = 12
    maps: int = 24
    drop_residual: float = 0.5
    pooled_share: float = 0.5
    window_share: float = 0.4
    window: int = 9


@dataclass(frozen=True)
class Batch:
    """Photos of a step.

    Attributes:
        features (Tensor): Of the stem, (N, 352, h, w).
        hidden (Tensor): What the classifier averages, (N, hw, 1280).
        probabilities (Tensor): Of the classes, (N, 1000).
    """

    features: Tensor
    hidden: Tensor
    probabilities: Tensor


def draw_batches(
    known: PhotoFeatures,
    teacher: Teacher,
    settings: Settings,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Yield batches without end: pooled photos, windows, whole photos.

    Args:
        known (PhotoFeatures): Of the photos.
        teacher (Teacher): Who says what a window shows.
        settings (Settings): Sizes and shares.
        rng (np.random.Generator): Draws photos, kinds and windows.
    """
    while True:
        # Draw photos, and read what the teacher said of them
        rows = rng.choice(len(known.logits), settings.batch, replace=False)
        rows.sort()
        features = torch.from_numpy(known.features[rows].astype(np.float32))
        probabilities = torch.from_numpy(known.logits[rows]).softmax(dim=1)
        # Choose a kind: pooled, window or whole photo
        kind = rng.random()
        pooled = kind < settings.pooled_share
        windowed = not pooled and kind < (
            settings.pooled_share + settings.window_share
        )
        # See the photos from further away, or a part of them
        if pooled:
            features = F.avg_pool2d(features, 2)
        if windowed:
            size = settings.window
            top, left = rng.integers(0, features.shape[-1] - size + 1, 2)
            features = features[..., top : top + size, left : left + size]
        # Flip half of the batches
        if rng.random() < 0.5:
            features = features.flip(3)
        # Ask the teacher about every place, and about the window as seen
        with torch.no_grad():
            hidden = teacher.head(features.flatten(2).transpose(1, 2))
            if windowed:  # what of the photo is seen
                probabilities = teacher.classify(hidden.mean(dim=1)).softmax(1)
        yield Batch(features, hidden, probabilities)
