# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Photos and tags to seeds in three lines, as mmengine's inferencers run."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.infer import BaseInferencer
from mmengine.registry import DefaultScope
from rich.progress import track

from ..utils import UserInputError
from ..visualization.windows import show_picture
from .inferencer_inputs import (
    ChannelOrder,
    Photo,
    ReadInput,
    are_several,
    check_names,
    list_photos,
    masks_of,
    name_photos,
    read_input,
    tags_of,
)
from .inferencer_models import Found, Seeder, build_seeder, seed_inputs
from .photo_seed import Image
from .prompt_seeder import PromptSeeder
from .seed_one_photo import PhotoSeeder
from .seed_result import SeedFailure, SeedResult

__all__ = ['SeedInferencer']


class SeedInferencer(BaseInferencer):
    """Make the seeds of photos from their tags, without a runner.

    It follows ``mmengine.infer.BaseInferencer``, as ``MMSegInferencer`` does.

    Args:
        model (str | PathLike | Config | PhotoSeeder | PromptSeeder):
            ``'photo'``, the photo CLIP and MobileSAM: any tags, nothing is
            learnt; ``'tiny'``, the models of PartWorld's drawn pictures, which
            come with the package; the config of learnt or manual prompts,
            whose classes are the tags; or a seeder.
        weights (str | PathLike, optional): Learnt prompts of a config.
            Default: its ``load_from``.
        route (str, optional): Route of a config, such as ``'coarse_seed'``.
            Default: its main one.
        device (str, optional): Default: the GPU, if there is one.
        scope (str): Where names in configs are looked up.
        show_progress (bool): Show a bar.
        mask_source (Any, optional): What makes the masks of photos that come
            without: a :class:`MaskSource`, its config, or the path of a
            ``*_sam_masks.py`` config. Default: MobileSAM, or PartWorld's tiny
            SAM with the tiny CLIP.
        weights_dir (str | PathLike): Where ``tools/get_weights.py`` puts
            weights.
        sam (str | PathLike, optional): MobileSAM's file instead.
        stem (str | PathLike, optional): The photo CLIP's EfficientNet-Lite2
            instead.
        points_per_side (int): SAM is asked at this many points squared; more
            find smaller things.

    Raises:
        UserInputError: If weights are missing, with the command that gets
            them, or the model is none of these.

    Example::

        inferencer = SeedInferencer('photo')
        result = inferencer('photo.jpg', tags=['cat'])['predictions']
        result.seed, result.cams, result.masks, result.overlay
    """

    preprocess_kwargs: ClassVar = {'tags', 'masks', 'channel_order'}
    forward_kwargs: ClassVar = set[str]()
    visualize_kwargs: ClassVar = {'show', 'wait_time', 'out_dir'}
    postprocess_kwargs: ClassVar = set[str]()

    def __init__(
        self,
        model: str | os.PathLike[str] | Config | Seeder = 'photo',
        weights: str | os.PathLike[str] | None = None,
        route: str | None = None,
        device: str | None = None,
        scope: str = 'mmseg',
        show_progress: bool = True,
        *,
        mask_source: Any = None,
        weights_dir: str | os.PathLike[str] = 'weights',
        sam: str | os.PathLike[str] | None = None,
        stem: str | os.PathLike[str] | None = None,
        points_per_side: int = 16,
    ) -> None:
        self.scope = scope
        self.show_progress = show_progress
        if isinstance(model, PhotoSeeder | PromptSeeder):
            self.seeder: Seeder = model
            return
        with DefaultScope.overwrite_default_scope(scope):
            self.seeder = build_seeder(
                model,
                weights,
                route,
                mask_source,
                weights_dir=weights_dir,
                sam=sam,
                stem=stem,
                points_per_side=points_per_side,
            )
        self.seeder.to(get_device() if device is None else device)

    def __call__(
        self,
        inputs: Photo | Iterable[Photo],
        return_datasamples: bool = False,
        batch_size: int = 1,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Make the seeds of photos.

        Args:
            inputs (Photo | Iterable[Photo]): Path of a photo or folder, PIL
                image, array, or several of these; see :func:`read_photo`.
            return_datasamples (bool): Give ``SegDataSample`` instead of
                :class:`SeedResult`.
            batch_size (int): Photos that are read at once. Those of one size
                run together through the CLIP of a config; ``'photo'`` and
                ``'tiny'`` take one after the other.
            **kwargs (Any): Of :meth:`preprocess` (``tags``, ``masks``,
                ``channel_order``) and :meth:`visualize` (``show``,
                ``wait_time``, ``out_dir``).

        Returns:
            dict: ``predictions`` and ``visualization`` (the overlays), each
            of the one photo, or in lists where a list or a folder was given;
            ``failures``, what is wrong with a photo by its name. Its
            prediction in a list is None.

        Raises:
            UserInputError: If arguments do not fit, or the one photo that was
                given has no seed.
        """
        several = are_several(inputs)
        found = list(self.iterate(inputs, batch_size, **kwargs))
        if not several and isinstance(found[0], SeedFailure):
            raise UserInputError(found[0].message)
        overlays = [
            one.overlay if isinstance(one, SeedResult) else None
            for one in found
        ]
        results = self.postprocess(found, overlays, return_datasamples)
        if not several:
            for key in ('predictions', 'visualization'):
                (results[key],) = results[key]
        return results

    def iterate(
        self,
        inputs: Photo | Iterable[Photo],
        batch_size: int = 1,
        **kwargs: Any,
    ) -> Iterator[Found]:
        """Make the seeds one by one: of many photos, only some are in memory.

        Args:
            inputs (Photo | Iterable[Photo]): As above.
            batch_size (int): As above.
            **kwargs (Any): As above.

        Yields:
            SeedResult | SeedFailure: Of each photo, in their order.
        """
        before, _, shown, _ = self._dispatch_kwargs(**kwargs)
        if batch_size < 1:
            raise UserInputError(
                f'Expected a `batch_size` of 1 or more, but got {batch_size}.'
            )
        photos = list_photos(inputs)
        if shown.get('out_dir'):
            check_names(name_photos(photos))
        batches: Iterable[list[ReadInput]] = self.preprocess(
            photos, batch_size, **before
        )
        if self.show_progress:
            count = -(-len(photos) // batch_size)
            batches = track(batches, 'Inference', total=count)
        for batch in batches:
            found = self.forward(batch)
            self.visualize(batch, found, **shown)
            yield from found

    def preprocess(
        self,
        inputs: Sequence[Photo],
        batch_size: int = 1,
        tags: Any = None,
        masks: Any = None,
        channel_order: ChannelOrder = 'bgr',
    ) -> Iterator[list[ReadInput]]:
        """Read photos and masks, batch by batch.

        Args:
            inputs (Sequence[Photo]): From :func:`list_photos`.
            batch_size (int): Photos of a batch.
            tags (Any): See :func:`tags_of`.
            masks (Any): See :func:`masks_of`.
            channel_order (str): See :func:`read_photo`.

        Yields:
            list: Name, path, and the photo or what is wrong with it.
        """
        names = name_photos(inputs)
        rows = zip(
            names,
            inputs,
            tags_of(tags, names),
            masks_of(masks, names),
            strict=True,
        )
        for chunk in self._get_chunk_data(rows, batch_size):
            yield [read_input(channel_order, *row) for row in chunk]

    def forward(
        self,
        inputs: Sequence[ReadInput],
        **kwargs: Any,
    ) -> list[Found]:
        """Make the seeds of a batch; a photo that fails stops no other.

        Args:
            inputs (Sequence): From :meth:`preprocess`.
            **kwargs (Any): None.

        Returns:
            list: Of each photo, in their order.
        """
        return seed_inputs(self.seeder, inputs)

    def visualize(
        self,
        inputs: Sequence[Any],
        preds: Sequence[Found],
        show: bool = False,
        wait_time: float = 0,
        out_dir: str | os.PathLike[str] | None = None,
    ) -> list[Image | None]:
        """Show the overlays, and write the files of each photo.

        Args:
            inputs (Sequence): Not used; the results hold the photos.
            preds (Sequence): From :meth:`forward`.
            show (bool): Show each overlay, see :func:`show_picture`.
            wait_time (float): Seconds until it closes. 0: on a key.
            out_dir (str | PathLike, optional): See :meth:`SeedResult.save`.

        Returns:
            list: Overlays, RGB, where they were needed.
        """
        overlays: list[Image | None] = []
        for found in preds:
            if isinstance(found, SeedFailure) or not (show or out_dir):
                overlays.append(None)
                continue
            overlays.append(found.overlay)
            if out_dir:
                found.save(out_dir)
            if show:
                show_picture(found.overlay, found.name, wait_time)
        return overlays

    def postprocess(
        self,
        preds: Sequence[Found],
        visualization: Sequence[Image | None],
        return_datasamples: bool = False,
    ) -> dict[str, Any]:
        """Pack results, overlays and failures into one dict."""
        predictions = [
            found if isinstance(found, SeedResult) else None for found in preds
        ]
        return dict(
            predictions=[
                one.to_data_sample() if one and return_datasamples else one
                for one in predictions
            ],
            visualization=list(visualization),
            failures={
                found.name: found.message
                for found in preds
                if isinstance(found, SeedFailure)
            },
        )

    def _init_pipeline(self, cfg: Any) -> None:
        """Leave the pipeline to the seeder, which knows its sizes."""
