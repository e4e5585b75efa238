# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Seeds of a batch from its class activation maps, image by image."""

from collections.abc import Mapping, Sequence

import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from ...utils import UserInputError
from ..cams import upsample_cams
from .mixed_batches import fail
from .seed_route import ImageError, SeedRoute

__all__ = ['BatchCAMs', 'seed_crops', 'seed_samples', 'stack_labels']

# Maps, (P, h, w), and the (image, class) pairs of them, int64, (P, 2)
BatchCAMs = tuple[Tensor, Tensor]


def stack_labels(
    data_samples: Sequence[SegDataSample],
    num_classes: int,
    device: torch.device,
) -> Tensor:
    """Stack the image-level labels of a batch.

    Args:
        data_samples (Sequence[SegDataSample]): With ``image_labels``.
        num_classes (int): C.
        device (torch.device): Of the result.

    Returns:
        Tensor: Multi-hot, bool, (N, C).

    Raises:
        UserInputError: If a sample has no labels.
        ValueError: If the labels are of another number of classes.
    """
    # Refuse images without labels
    for sample in data_samples:
        if 'image_labels' not in sample:
            raise UserInputError(
                'Expected the image-level labels of '
                f'{sample.get("img_path") or "an image"}, got none: seeds are '
                'made of a photo and its classes. List both in a data set '
                '(tools/test.py with a *_seed.py config), or segment a photo '
                'alone with a network of stage 2.'
            )
    # Stack them, and check the number of classes
    labels = torch.stack([s.image_labels for s in data_samples]).to(device)
    if labels.shape[1] != num_classes:
        raise ValueError(
            f'Expected image labels of {num_classes} foreground classes, as '
            f'in `class_prompts`, but the dataset gives {labels.shape[1]}.'
        )
    return labels


def seed_crops(
    route: SeedRoute,
    batch_cams: BatchCAMs,
    data_samples: Sequence[SegDataSample],
    size: Sequence[int],
) -> Tensor:
    """Make the coarse seeds of training crops.

    Args:
        route (SeedRoute): The training route.
        batch_cams (BatchCAMs): Maps of the route's stream.
        data_samples (Sequence[SegDataSample]): With ``sam_masks`` at the
            crops' size, if the seeder needs them.
        size (Sequence[int]): (H, W) of a crop, pixels.

    Returns:
        Tensor: 0 background, class + 1, (N, H, W).
    """
    # Enlarge the maps to the crops
    cams, pairs = batch_cams
    cams = upsample_cams(cams, size)
    seeds = []
    for n, sample in enumerate(data_samples):
        # Seed the crop from the maps of its own classes
        mine = pairs[:, 0] == n
        masks = sample.sam_masks if route.seeder.needs_masks else None
        seeds.append(route.seeder(cams[mine], pairs[mine, 1], masks))
    return torch.stack(seeds)


def seed_samples(
    routes: Mapping[str, SeedRoute],
    cams: Mapping[tuple[str, bool], BatchCAMs],
    data_samples: Sequence[SegDataSample],
    main_route: str | None,
    keep_cams: bool,
) -> None:
    """Set the seeds of every route, at the images' original size.

    An image whose seeds cannot be made gets ``failure`` instead.

    Args:
        routes (Mapping): Routes by the name of their field.
        cams (Mapping): Maps of the batch by :attr:`SeedRoute.cam`.
        data_samples (Sequence[SegDataSample]): Changed in place.
        main_route (str, optional): The route that is also ``pred_sem_seg``.
        keep_cams (bool): Also set ``<route>_cams``.
    """
    for n, sample in enumerate(data_samples):
        # Make the seeds, or note why there are none
        try:
            fields = _seed_fields(routes, cams, n, sample, keep_cams)
        except ImageError as error:
            fail(sample, str(error))
            continue
        # Let one route stand for the prediction
        if main_route is not None and main_route in routes:
            fields['pred_sem_seg'] = fields[main_route]
        sample.set_data(fields)


def _seed_fields(
    routes: Mapping[str, SeedRoute],
    cams: Mapping[tuple[str, bool], BatchCAMs],
    number: int,
    sample: SegDataSample,
    keep_cams: bool,
) -> dict[str, PixelData]:
    """Make the seeds of one image, by the name of their field."""
    fields = {}
    for name, route in routes.items():
        # Enlarge the maps of this image
        maps, pairs = cams[route.cam]
        mine = pairs[:, 0] == number
        maps = upsample_cams(maps[mine], sample.ori_shape[:2])
        # Seed it, and keep the maps if asked for
        seed = route.seed(maps, pairs[mine, 1], sample)
        fields[name] = PixelData(data=seed[None])
        if keep_cams:
            fields[f'{name}_cams'] = PixelData(data=maps)
    return fields
