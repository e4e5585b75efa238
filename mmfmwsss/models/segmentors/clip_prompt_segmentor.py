# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The coarse-to-fine framework of Figure 2: images and labels to seeds."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from ..cams import needed_prompts
from ..clip import ImageFeatures, LastBlock
from .batch_seeds import BatchCAMs, seed_crops, seed_samples
from .clip_streams import CLASSIFICATION, SEGMENTATION, CLIPStreams
from .mixed_batches import failed, predict_in_groups
from .route_checks import check_routes, choose_main_route
from .seed_route import SeedRoute

__all__ = ['CLIPPromptSegmentor']


@MODELS.register_module()
class CLIPPromptSegmentor(CLIPStreams):
    """Turn images and labels into seeds by two sets of prompts on one CLIP.

    After `FMA-WSSS <https://arxiv.org/abs/2312.03585>`_.

    .. code-block:: text

        loss():    trunk -> embedding -> logits -> L_MCL      (classification)
                     |         |-> CAM -> CAA -> SAMS = coarse seed
                     |-> CAM ---------------------> L_CAL     (segmentation)
        predict(): trunk -> embedding -> CAM -> CAA -> seeder  (each route)

    CLIP is no sub-module: checkpoints, optimisers and DDP see prompts only.

    Args:
        clip (dict): Config of :class:`FrozenCLIP`.
        class_prompts (str | dict): Name of a table in ``CLASS_PROMPTS``, a
            YAML file, or a dict.
        streams (dict[str, dict]): Config of a ``CLIPPromptHead`` by name. The
            names ``'classification'`` and ``'segmentation'`` are trained.
        caa (dict): Config of ``CAA``.
        training_route (dict, optional): The route of the coarse seeds that
            supervise the segmentation stream while it trains. None: seeds
            made before, in ``gt_sem_seg``.
        routes (dict[str, dict]): Ways from a CAM to a seed, by name; see
            :class:`SeedRoute`. Each is a field of the predicted samples.
            None at all: classes are scored, nothing else.
        main_route (str, optional): The route that is also ``pred_sem_seg``.
            May be left out where there is one route at most; the order of
            ``routes`` decides nothing, for a config that was written to a
            file has lost it.
        official (bool): Take the softmax of the CAMs like FMA-WSSS's code,
            see :func:`present_softmax`.
        data_preprocessor (dict, optional): As in mmseg.
        train_cfg (dict, optional): Unused; mmseg's tools set it.
        test_cfg (dict, optional): ``keep_cams=True`` adds the CAMs to the
            predictions, see :meth:`predict`. Nothing else is read.
        pretrained (str, optional): Unused likewise; see ``clip``.
        init_cfg (dict, optional): As in mmengine.

    Raises:
        UserInputError: If there are several routes and ``main_route`` names
            none of them.
    """

    def __init__(
        self,
        clip: dict[str, Any],
        class_prompts: str | dict[str, Any],
        streams: dict[str, dict[str, Any]],
        caa: dict[str, Any],
        routes: dict[str, dict[str, Any]],
        training_route: dict[str, Any] | None = None,
        main_route: str | None = None,
        official: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
        train_cfg: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
        pretrained: str | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            clip,
            class_prompts,
            streams,
            caa,
            official,
            data_preprocessor,
            init_cfg,
        )
        del train_cfg, pretrained
        self.keep_cams = bool((test_cfg or {}).get('keep_cams', False))
        # Build the routes from CAMs to seeds, and check them
        self.training_route = (
            None if training_route is None else SeedRoute(**training_route)
        )
        self.routes = {
            name: SeedRoute(**route) for name, route in routes.items()
        }
        self.main_route = choose_main_route(main_route, self.routes)
        check_routes(self.routes, self.training_route, list(self.streams))

    # ------------------------------------------------------------------
    # Training
    # ------------------------------------------------------------------

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Compute L = L_MCL + L_CAL (Eq. 11).

        Args:
            inputs (Tensor): Normalised crops, (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``image_labels`` and, for
                the segmentation stream, ``sam_masks`` at the crop's size.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        # Encode the crops, and the prompts that the losses need
        labels = self.stack_labels(data_samples, inputs.device)
        features, last_block = self.encode_views(
            inputs, data_samples, self.needs_attention
        )
        text = self._encode_text(labels)
        losses: dict[str, Tensor] = {}
        # Classification: L_MCL of the logits
        if CLASSIFICATION in self.streams:
            logits = self.logits(last_block.embedding, text[CLASSIFICATION])
            foreground = logits[:, : labels.shape[1]]
            stream = self.stream(CLASSIFICATION)
            losses |= stream.classification_loss(foreground, labels)
        if not all(loss.isfinite().all() for loss in losses.values()):
            return losses  # no seeds come of it; the training's hook stops
        # Segmentation: L_CAL of the CAMs on the coarse seeds
        if SEGMENTATION in self.streams:
            seeds = self._coarse_seeds(
                features,
                last_block,
                text,
                labels,
                data_samples,
                inputs.shape[-2:],
            )
            cams, pairs = self.make_cams(
                features, last_block, text[SEGMENTATION], labels
            )
            losses |= self.stream(SEGMENTATION).cam_loss(cams, pairs, seeds)
        return losses

    def _encode_text(self, labels: Tensor) -> dict[str, Tensor]:
        """Encode the prompts of each stream that the losses depend on."""
        # Leave out prompts of absent classes: no CAM depends on them
        rows = needed_prompts(
            labels, len(self.class_prompts.background), self.official
        )
        return {
            name: self.stream(name).text_features(
                self.clip, rows if name == SEGMENTATION else None
            )
            for name in self.streams
        }

    @property
    def needs_attention(self) -> bool:
        """True if training reads the attention."""
        return self.training_route is not None and self.training_route.use_caa

    @torch.no_grad()
    def _coarse_seeds(
        self,
        features: ImageFeatures,
        last_block: LastBlock,
        text: dict[str, Tensor],
        labels: Tensor,
        data_samples: list[SegDataSample],
        size: torch.Size,
    ) -> Tensor:
        """Make the seeds that supervise the segmentation stream, (N, H, W).

        Made on the fly by the training route, or read from ``gt_sem_seg``
        (the two-step recipe of the official code).
        """
        # Read the seeds, or make them of the CAMs of this batch
        route = self.training_route
        if route is None:
            return torch.cat([s.gt_sem_seg.data for s in data_samples])
        cams = self.make_cams(
            features, last_block, text[route.stream], labels, route.use_caa
        )
        return seed_crops(route, cams, data_samples, size)

    # ------------------------------------------------------------------
    # Seeds
    # ------------------------------------------------------------------

    @torch.no_grad()
    def predict(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample],
        routes: Mapping[str, SeedRoute] | None = None,
        keep_cams: bool | None = None,
    ) -> list[SegDataSample]:
        """Make the seeds of every route at the images' original size.

        Args:
            inputs (Tensor): Normalised images, (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``image_labels`` and, if a
                route's seeder needs them, ``sam_masks`` at original size.
                Those with ``failure`` are left alone.
            routes (Mapping[str, SeedRoute], optional): Instead of the model's
                own, e.g. with its ``training_route``.
            keep_cams (bool, optional): Add ``<route>_cams``, the maps that
                the route's seeder reads, (P, H, W), in the order of the
                present classes. Default: ``test_cfg['keep_cams']``.

        Returns:
            list[SegDataSample]: With one field a route, ``pred_sem_seg``
            and, if there is a classification stream, ``class_scores``. An
            image whose seeds cannot be made gets ``failure`` instead.
        """
        routes = self.routes if routes is None else routes
        keep_cams = self.keep_cams if keep_cams is None else keep_cams
        # Leave the failed images out
        good = [n for n, s in enumerate(data_samples) if not failed(s)]
        if good:
            samples = [data_samples[n] for n in good]
            self._predict(inputs[good], samples, routes, keep_cams)
        return data_samples

    def _predict(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample],
        routes: Mapping[str, SeedRoute],
        keep_cams: bool,
    ) -> None:
        """Do what :meth:`predict` does, for images that could be read."""
        # Encode the images
        labels = self.stack_labels(data_samples, inputs.device)
        features, last_block = self.encode(
            inputs, any(route.use_caa for route in routes.values())
        )
        # Routes with the same stream and CAA share their maps
        cams: dict[tuple[str, bool], BatchCAMs] = {}
        for route in routes.values():
            if route.cam not in cams:
                text = self.stream(route.stream).frozen_text_features(
                    self.clip
                )
                cams[route.cam] = self.make_cams(
                    features, last_block, text, labels, route.use_caa
                )
        # Seed the images by each route, and score their classes
        seed_samples(routes, cams, data_samples, self.main_route, keep_cams)
        self.score_classes(last_block.embedding, data_samples)

    def test_step(self, data: Any) -> list[SegDataSample]:
        """Predict a batch; its images may be of several sizes, or failed."""
        return predict_in_groups(super().test_step, data)

    @torch.no_grad()
    def val_step(self, data: Any) -> list[SegDataSample]:
        """Score the classes only: what can be validated with image labels.

        Without a classification stream there is nothing to score, and the
        seeds are made as in a test.

        Returns:
            list[SegDataSample]: With ``class_scores``.
        """
        # Choose the cheaper step where there is something to score
        step = super().val_step
        if CLASSIFICATION in self.streams:
            step = self._validate
        return predict_in_groups(step, data)

    def _validate(self, data: Any) -> list[SegDataSample]:
        """Score the classes of images of one size."""
        # Encode without attention: nothing is refined
        data = self.data_preprocessor(data, False)
        _, last_block = self.encode(data['inputs'], with_attention=False)
        self.score_classes(last_block.embedding, data['data_samples'])
        return cast(list[SegDataSample], data['data_samples'])
