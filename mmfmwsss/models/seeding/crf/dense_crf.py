# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeding: dense CRF on the score maps, as CLIP-ES refines its CAMs."""

import importlib.util
from typing import Literal

import numpy as np
import torch
from mmseg.registry import TASK_UTILS
from torch import Tensor

from ....structures import SAMMasks
from ....utils import UserInputError
from ....utils.labels import IGNORE_LABEL
from ..argmax import PixelScoreSeeder, best_label
from .mean_field import CRFKernels, dense_crf_posterior, unary_energy

__all__ = ['DenseCRF', 'pydensecrf_posterior', 'wrapped_bgr']

Backend = Literal['auto', 'pydensecrf', 'torch']
_MEAN_BGR = (104.008, 116.669, 122.675)


def wrapped_bgr(image: Tensor) -> Tensor:
    """Make the colours that CLIP-ES shows to its CRF: BGR - mean, modulo 256.

    Their negative values wrap in the cast to uint8, so that dark pixels look
    bright. Only for comparisons with their numbers.

    Args:
        image (Tensor): RGB, uint8, (H, W, 3).

    Returns:
        Tensor: uint8, (H, W, 3).
    """
    mean = torch.tensor(_MEAN_BGR, device=image.device)
    shifted = image.flip(-1).float() - mean
    return shifted.trunc().long().remainder(256).to(torch.uint8)


def pydensecrf_posterior(
    unary: Tensor, image: Tensor, kernels: CRFKernels, iterations: int
) -> Tensor:
    """Approximate the posterior of the CRF by the C++ library pydensecrf2.

    Like :func:`~.mean_field.dense_crf_posterior`.

    Args:
        unary (Tensor): Energies, (L, H, W).
        image (Tensor): uint8, (H, W, 3).
        kernels (CRFKernels): Weights and widths.
        iterations (int): Mean-field updates.

    Returns:
        Tensor: Posterior, (L, H, W).
    """
    from pydensecrf import densecrf

    # Set the unary energies
    labels, height, width = unary.shape
    crf = densecrf.DenseCRF2D(width, height, labels)
    energies = unary.detach().cpu().numpy().astype(np.float32)
    crf.setUnaryEnergy(np.ascontiguousarray(energies.reshape(labels, -1)))
    # Add the Gaussian and the bilateral kernel
    crf.addPairwiseGaussian(
        sxy=kernels.position_sigma, compat=kernels.position_weight
    )
    crf.addPairwiseBilateral(
        sxy=kernels.bilateral_sigma,
        srgb=kernels.colour_sigma,
        rgbim=np.ascontiguousarray(image.cpu().numpy()),
        compat=kernels.bilateral_weight,
    )
    # Run the mean-field updates
    posterior = np.array(crf.inference(iterations), dtype=np.float32)
    return torch.from_numpy(posterior).view(unary.shape).to(unary.device)


@TASK_UTILS.register_module()
class DenseCRF(PixelScoreSeeder):
    """Smooth score maps by a fully connected CRF, then take the best label.

    Args:
        alpha (float): Power of the background's score. CLIP-ES' 1.
        normalise (bool): Stretch each CAM over the image first.
        iterations (int): Mean-field updates.
        kernels (dict, optional): Changes to :class:`CRFKernels`, whose
            defaults are those of CLIP-ES.
        ignore_threshold (float): Pixels whose posterior stays below become
            255. CLIP-ES trains on pseudo labels made with 0.95; 0 keeps all.
        backend (str): ``'torch'`` needs no compiler and runs on any device,
            ``'pydensecrf'`` is the C++ library, ``'auto'`` takes the library
            where it is installed and the maps are on the CPU.
        official (bool): Behave like the code of CLIP-ES: show the CRF
            :func:`wrapped_bgr`, not the plain RGB image; add 1e-7 where CAMs
            are stretched; filter positions in a lattice, like its pydensecrf,
            not exactly.

    Raises:
        ValueError: If ``backend`` is unknown.
        UserInputError: If pydensecrf is asked for but not installed.
    """

    needs_image = True

    def __init__(
        self,
        alpha: float = 1.0,
        normalise: bool = True,
        iterations: int = 10,
        kernels: dict[str, float] | None = None,
        ignore_threshold: float = 0.0,
        backend: Backend = 'auto',
        official: bool = False,
    ) -> None:
        installed = importlib.util.find_spec('pydensecrf') is not None
        if backend not in ('auto', 'pydensecrf', 'torch'):
            raise ValueError(
                "backend must be 'auto', 'pydensecrf' or 'torch', got "
                f'{backend!r}'
            )
        if backend == 'pydensecrf' and not installed:
            raise UserInputError(
                "backend='pydensecrf' expects that package, but it is not "
                'installed. Run `pip install pydensecrf2` (needs a C++ '
                "compiler) or set backend='torch'."
            )
        super().__init__(alpha, normalise, official)
        self.iterations = iterations
        self.kernels = CRFKernels(**(kernels or {}))
        self.ignore_threshold = ignore_threshold
        self.backend = backend
        self._installed = installed

    def _label(
        self, scores: Tensor, labels: Tensor, masks: SAMMasks, image: Tensor
    ) -> Tensor:
        """Take the best label of the posterior; the masks are not used."""
        # Ignore the pixels that no label is sure of
        posterior = self.posterior(scores, image)
        unsure = posterior.amax(0) < self.ignore_threshold
        return best_label(posterior, labels).masked_fill(unsure, IGNORE_LABEL)

    def posterior(self, scores: Tensor, image: Tensor) -> Tensor:
        """Approximate the posterior of the labels.

        Args:
            scores (Tensor): In [0, 1], need not sum to 1, (L, H, W).
            image (Tensor): RGB, uint8, (H, W, 3).

        Returns:
            Tensor: Sums to 1 over the labels, (L, H, W).
        """
        # Turn scores into energies, and colours into CLIP-ES' own
        unary = unary_energy(scores)
        if self.official:
            image = wrapped_bgr(image)
        # Take the library where it is wanted or at hand
        on_cpu = scores.device.type == 'cpu'
        if self.backend == 'pydensecrf' or (
            self.backend == 'auto' and self._installed and on_cpu
        ):
            return pydensecrf_posterior(
                unary, image, self.kernels, self.iterations
            )
        return dense_crf_posterior(
            unary, image, self.kernels, self.iterations, self.official
        )
