# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""From photos to seeds by the learnt prompts of a config, without a runner."""

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..models.masks.sam_mask_generator import MaskSource
from ..models.seeding import SAMS, MaskDecisions
from ..models.segmentors import CLIPPromptSegmentor
from ..models.segmentors.batch_seeds import seed_samples
from ..models.segmentors.clip_streams import CLASSIFICATION
from ..models.segmentors.mixed_batches import fail, failed, predict_in_groups
from ..models.segmentors.seed_route import SeedRoute
from ..structures import SAMMasks
from ..structures.class_prompts import plain_name
from ..structures.mask_records import MaskInput
from ..utils import UserInputError, nearby_names
from .photo_seed import Image, PhotoSeed, find_masks
from .photo_tags import check_tags, choose_classes, describe_unclear

__all__ = ['PhotoInput', 'PromptSeeder']

_ROUTE = 'seed'

Pipeline = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class PhotoInput:
    """Hold a photo and what is known of it.

    Attributes:
        image (ndarray): RGB, uint8, (H, W, 3).
        tags (Sequence[str], optional): What it shows. None: to be named.
        masks (MaskInput, optional): Made before. None: to be made.
    """

    image: Image
    tags: Sequence[str] | None = None
    masks: MaskInput | None = None


class PromptSeeder:
    """Segment photos by the prompts of a model, along one of its routes.

    Args:
        model (CLIPPromptSegmentor): With learnt or manual prompts.
        pipeline (Callable): Transforms of a test, from a loaded image to the
            packed sample, without those that read files.
        mask_source (MaskSource): Makes the masks.
        route (str, optional): Of the model. Default: its main one.

    Raises:
        UserInputError: If the model has no such route.
    """

    def __init__(
        self,
        model: CLIPPromptSegmentor,
        pipeline: Pipeline,
        mask_source: MaskSource,
        route: str | None = None,
    ) -> None:
        self.model = model.eval()
        self.pipeline = pipeline
        self.mask_source = mask_source
        self.route = _choose_route(model, route)
        self.classes = model.class_prompts.classes
        self.palette = model.class_prompts.palette

    def to(self, device: torch.device | str) -> 'PromptSeeder':
        """Move the model, and the source of masks where it is a network."""
        self.model.to(device)
        if isinstance(self.mask_source, nn.Module):
            self.mask_source.to(device)
        return self

    def unknown(self, tags: Sequence[str]) -> list[str]:
        """List the tags that are no classes: others get no seed."""
        return [tag for tag in tags if tag not in self.classes]

    def __call__(
        self,
        image: Image,
        tags: Sequence[str] | None = None,
        masks: MaskInput | None = None,
    ) -> PhotoSeed:
        """Make the seed of a photo.

        Args:
            image (ndarray): RGB, uint8, (H, W, 3).
            tags (Sequence[str], optional): Classes that it shows. None: those
                that the model scores highest.
            masks (MaskInput, optional): Made before; None makes them.

        Returns:
            PhotoSeed: Labelled as the classes of the config.

        Raises:
            UserInputError: If the tags are no classes, the masks do not fit,
                or no class stands out.
        """
        (result,) = self.seed_batch([PhotoInput(image, tags, masks)])
        if isinstance(result, UserInputError):
            raise result
        return result

    def seed_batch(
        self, photos: Sequence[PhotoInput]
    ) -> list[PhotoSeed | UserInputError]:
        """Make the seeds of several photos; those of one size run together.

        Args:
            photos (Sequence[PhotoInput]): N photos.

        Returns:
            list: In their order; what the user can mend about a photo takes
            the place of its seed.
        """
        results: list[PhotoSeed | UserInputError | None] = []
        packed: list[dict[str, Any]] = []
        # Pack the photos with their masks and labels
        for photo in photos:
            try:
                packed.append(self._pack(photo))
                results.append(None)
            except UserInputError as error:
                results.append(error)
        if not packed:
            return [error for error in results if error is not None]
        # Predict them together, and put the seeds into their places
        samples = predict_in_groups(self._predict, pseudo_collate(packed))
        seeds = (self._collect(sample) for sample in samples)
        return [next(seeds) if found is None else found for found in results]

    def _pack(self, photo: PhotoInput) -> dict[str, Any]:
        """Run the pipeline on a photo, and add its masks and labels."""
        labels = None if photo.tags is None else self._labels(photo.tags)
        # Run the transforms of a test
        size = (photo.image.shape[0], photo.image.shape[1])
        packed = self.pipeline(
            dict(
                img=np.ascontiguousarray(photo.image[..., ::-1]),
                img_path=None,
                img_shape=size,
                ori_shape=size,
                seg_fields=[],
            )
        )
        # Add what the seeder reads, at the photo's own size
        sample: SegDataSample = packed['data_samples']
        start = time.perf_counter()
        sample.sam_masks = SAMMasks.empty(size)
        if self.route.seeder.needs_masks:
            sample.sam_masks = find_masks(
                self.mask_source, photo.image, photo.masks
            )
        seconds = dict(masks=time.perf_counter() - start)
        sample.set_metainfo(dict(seconds=seconds))
        sample.original_image = torch.from_numpy(
            np.require(photo.image, requirements=['C', 'W'])
        )
        if labels is not None:
            sample.image_labels = labels
        return packed

    @torch.no_grad()
    def _predict(self, data: Any) -> list[SegDataSample]:
        """Make the seeds of photos of one size (Eq. 1 to 10)."""
        start = time.perf_counter()
        model, route = self.model, self.route
        data = model.data_preprocessor(data, False)
        samples: list[SegDataSample] = data['data_samples']
        # Encode the photos, and name the classes of those without tags
        features, last_block = model.encode(data['inputs'], route.use_caa)
        self._score(last_block.embedding, samples)
        # Make the maps of the tags, and their seeds
        labels = model.stack_labels(samples, last_block.embedding.device)
        text = model.stream(route.stream).frozen_text_features(model.clip)
        cams = model.make_cams(
            features, last_block, text, labels, route.use_caa
        )
        seed_samples({_ROUTE: route}, {route.cam: cams}, samples, None, True)
        seconds = (time.perf_counter() - start) / len(samples)
        for sample in samples:
            sample.metainfo['seconds']['seed'] = seconds
        return samples

    def _score(
        self, embedding: Tensor, samples: Sequence[SegDataSample]
    ) -> None:
        """Score classes and backgrounds; label photos that have no tags."""
        names = self.model.class_prompts
        streams = self.model.streams
        stream = self.model.stream(
            CLASSIFICATION if CLASSIFICATION in streams else self.route.stream
        )
        text = stream.frozen_text_features(self.model.clip)
        scores = self.model.logits(embedding, text).softmax(1)
        order = scores.argsort(1, descending=True).tolist()
        everything = (*names.classes, *names.background)
        for sample, row, best in zip(samples, scores, order, strict=True):
            ranking = {everything[n]: float(row[n]) for n in best}
            sample.set_metainfo(dict(scores=ranking))
            # Take the classes that stand out
            if 'image_labels' not in sample:
                tags = choose_classes(ranking, names.classes)
                sample.image_labels = self._labels(tags)
                if not tags:
                    fail(sample, describe_unclear(ranking))

    def _labels(self, tags: Sequence[str]) -> Tensor:
        """Turn names of classes into multi-hot labels, bool, (C,)."""
        labels = torch.zeros(len(self.classes), dtype=torch.bool)
        known = {plain_name(name): n for n, name in enumerate(self.classes)}
        for tag in tags and check_tags(tags):
            if plain_name(tag) not in known:
                raise UserInputError(
                    f'Expected tags that are classes of the config, but got '
                    f'{tag!r}.{nearby_names(tag, list(self.classes))} They '
                    f'are {", ".join(self.classes)}.'
                )
            labels[known[plain_name(tag)]] = True
        return labels

    def _collect(self, sample: SegDataSample) -> PhotoSeed | UserInputError:
        """Take the results of a photo from its sample."""
        meta = sample.metainfo
        if failed(sample):
            return UserInputError(meta['failure'])
        sample = sample.cpu()
        classes = sample.image_labels.nonzero()[:, 0].tolist()
        seed = sample.get(_ROUTE).data[0]
        cams = sample.get(f'{_ROUTE}_cams').data
        # Say how SAMS classified the masks
        masks, decisions = SAMMasks.empty(sample.ori_shape), _NO_DECISIONS
        if isinstance(self.route.seeder, SAMS):
            masks = sample.sam_masks.to('cpu')
            decisions = self.route.seeder.decide(cams, masks)
        return PhotoSeed(
            tags=tuple(self.classes[n] for n in classes),
            scores=meta['scores'],
            cams=cams,
            masks=masks,
            decisions=decisions,
            seed=seed,
            seconds=meta['seconds'],
            labels=tuple(n + 1 for n in classes),
        )


_NO_DECISIONS = MaskDecisions(
    torch.zeros(0, 1), torch.zeros(0, dtype=torch.int64), torch.zeros(0)
)


def _choose_route(model: CLIPPromptSegmentor, name: str | None) -> SeedRoute:
    """Take a route of the model, without the folder of its masks."""
    name = model.main_route if name is None else name
    if name is None or name not in model.routes:
        remedy = '' if model.routes else ' Take a *_seed.py config.'
        raise UserInputError(
            f'Expected `route` to be one of the routes {sorted(model.routes)} '
            f'of the config, but got {name!r}.{remedy}'
        )
    route = copy(model.routes[name])
    route.mask_loader = None
    return route
