# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The coarse-to-fine framework of Figure 2: images and labels to seeds."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import MODELS, TASK_UTILS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ...structures.class_prompts import ClassPrompts
from ...structures.class_tables import get_class_prompts
from ...utils import UserInputError
from ..cams import CAA, softmax_gradcam
from ..clip import FrozenCLIP, ImageFeatures, PromptStream, TrunkCache
from .mixed_batches import fail, failed, predict_in_groups
from .seed_route import ImageError, SeedRoute

__all__ = ['CLIPPromptSegmentor', 'upsample_cams']

CLASSIFICATION, SEGMENTATION = 'classification', 'segmentation'


@MODELS.register_module()
class CLIPPromptSegmentor(BaseSegmentor):
    """Two sets of prompts on one frozen CLIP: images and labels to seeds.

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
        train_cfg (dict, optional): Unused; mmseg's runner passes it.
        test_cfg (dict, optional): Unused likewise.
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
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        del train_cfg, test_cfg
        self.class_prompts: ClassPrompts = get_class_prompts(class_prompts)
        # Into __dict__, past nn.Module's registration: see the docstring.
        self.__dict__['clip'] = MODELS.build(clip)
        self.streams = nn.ModuleDict(
            {
                name: MODELS.build(
                    dict(
                        stream,
                        clip=self.clip,
                        class_prompts=self.class_prompts,
                    )
                )
                for name, stream in streams.items()
            }
        )
        self.caa: CAA = TASK_UTILS.build(caa)
        self.training_route = (
            None if training_route is None else SeedRoute(**training_route)
        )
        self.routes = {
            name: SeedRoute(**route) for name, route in routes.items()
        }
        self.main_route = _main_route(main_route, self.routes)
        self.official = official
        self.trunk_cache: TrunkCache | None = None  # see TrunkCacheHook
        self._check_streams()

    clip: FrozenCLIP

    def stream(self, name: str) -> PromptStream:
        """Return the stream of that name."""
        return cast(PromptStream, self.streams[name])

    def _check_streams(self) -> None:
        routes = dict(self.routes)
        if self.training_route is not None:
            routes['training_route'] = self.training_route
            if self.training_route.mask_loader is not None:
                raise ValueError(
                    'Expected `training_route` without `mask_dir`: its masks '
                    'follow the crops, so the training pipeline loads them. '
                    "Set it there: dict(type='LoadSAMMasks', mask_dir=...)."
                )
        for name, route in routes.items():
            if route.stream not in self.streams:
                raise ValueError(
                    f'Expected the stream of {name!r} to be one of '
                    f'{sorted(self.streams)}, but got {route.stream!r}.'
                )

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> 'CLIPPromptSegmentor':
        """Move CLIP along, which nn.Module does not see."""
        self.clip._apply(fn)
        return cast('CLIPPromptSegmentor', super()._apply(fn, recurse))

    # ------------------------------------------------------------------
    # Training
    # ------------------------------------------------------------------

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """L = L_MCL + L_CAL (Eq. 11).

        Args:
            inputs (Tensor): Normalised crops, (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``image_labels`` and, for
                the segmentation stream, ``sam_masks`` at the crop's size.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        labels = self._stack_labels(data_samples, inputs.device)
        features, embedding = self._encode_views(inputs, data_samples)
        text = {
            name: self.stream(name).text_features(
                self.clip, self._needed_prompts(name, labels)
            )
            for name in self.streams
        }
        losses: dict[str, Tensor] = {}
        if CLASSIFICATION in self.streams:
            logits = self._logits(embedding, text[CLASSIFICATION])
            foreground = logits[:, : labels.shape[1]]
            losses |= self.stream(CLASSIFICATION).classification_loss(
                foreground, labels
            )
        if not all(loss.isfinite().all() for loss in losses.values()):
            return losses  # no seeds come of it; the training's hook stops
        if SEGMENTATION in self.streams:
            seeds = self._coarse_seeds(
                features, embedding, text, labels, data_samples, inputs.shape
            )
            cams, pairs = self._make_cams(
                features, embedding, text[SEGMENTATION], labels
            )
            losses |= self.stream(SEGMENTATION).cam_loss(cams, pairs, seeds)
        return losses

    def _needed_prompts(self, stream: str, labels: Tensor) -> Tensor | None:
        """Prompts of a stream that the losses depend on; None: all.

        A CAM is made of the present classes and the backgrounds (Eq. 1).
        """
        if stream != SEGMENTATION or self.official:
            return None
        prompts = labels.shape[1] + len(self.class_prompts.background)
        background = torch.arange(
            labels.shape[1], prompts, device=labels.device
        )
        return torch.cat([labels.any(dim=0).nonzero()[:, 0], background])

    @torch.no_grad()
    def _encode_views(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> tuple[ImageFeatures, Tensor]:
        """As :meth:`encode`, with the trunk from the cache if there is one."""
        if self.trunk_cache is None:
            return self.encode(inputs, self.needs_attention)
        draws = [s.metainfo.get('sample_idx') for s in data_samples]
        features = self.trunk_cache.features(self.clip, inputs, draws)
        return features, self.clip.run_last_block(features).embedding

    @property
    def needs_attention(self) -> bool:
        """Whether training reads the attention."""
        return self.training_route is not None and self.training_route.use_caa

    @torch.no_grad()
    def _coarse_seeds(
        self,
        features: ImageFeatures,
        embedding: Tensor,
        text: dict[str, Tensor],
        labels: Tensor,
        data_samples: list[SegDataSample],
        shape: torch.Size,
    ) -> Tensor:
        """Seeds that supervise the segmentation stream, (N, H, W).

        Made on the fly by the coarse route, or read from ``gt_sem_seg`` (the
        two-step recipe of the official code).
        """
        route = self.training_route
        if route is None:
            return torch.cat([s.gt_sem_seg.data for s in data_samples])
        cams, pairs = self._make_cams(
            features, embedding, text[route.stream], labels, route.use_caa
        )
        cams = upsample_cams(cams, shape[-2:])
        seeds = []
        for n, sample in enumerate(data_samples):
            mine = pairs[:, 0] == n
            masks = sample.sam_masks if route.seeder.needs_masks else None
            seeds.append(route.seeder(cams[mine], pairs[mine, 1], masks))
        return torch.stack(seeds)

    # ------------------------------------------------------------------
    # Seeds
    # ------------------------------------------------------------------

    @torch.no_grad()
    def predict(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample],
        routes: Mapping[str, SeedRoute] | None = None,
        keep_cams: bool = False,
    ) -> list[SegDataSample]:
        """Make the seeds of every route at the images' original size.

        Args:
            inputs (Tensor): Normalised images, (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``image_labels`` and, if a
                route's seeder needs them, ``sam_masks`` at original size.
                Those with ``failure`` are left alone.
            routes (Mapping[str, SeedRoute], optional): Instead of the model's
                own, e.g. with its ``training_route``.
            keep_cams (bool): Whether to add ``<route>_cams``, the maps that
                the route's seeder reads, (P, H, W), in the order of the
                present classes.

        Returns:
            list[SegDataSample]: With one field a route, ``pred_sem_seg``
            and, if there is a classification stream, ``class_scores``. An
            image whose seeds cannot be made gets ``failure`` instead.
        """
        routes = self.routes if routes is None else routes
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
        """As :meth:`predict`, for images that could be read."""
        labels = self._stack_labels(data_samples, inputs.device)
        features, embedding = self.encode(
            inputs, any(route.use_caa for route in routes.values())
        )
        cams: dict[tuple[str, bool], tuple[Tensor, Tensor]] = {}
        for route in routes.values():
            if route.cam not in cams:
                text = self._frozen_text(route.stream)
                cams[route.cam] = self._make_cams(
                    features, embedding, text, labels, route.use_caa
                )
        for n, sample in enumerate(data_samples):
            fields = {}
            try:
                for name, route in routes.items():
                    maps, pairs = cams[route.cam]
                    mine = pairs[:, 0] == n
                    maps = upsample_cams(maps[mine], sample.ori_shape[:2])
                    seed = route.seed(maps, pairs[mine, 1], sample)
                    fields[name] = PixelData(data=seed[None])
                    if keep_cams:
                        fields[f'{name}_cams'] = PixelData(data=maps)
            except ImageError as error:
                fail(sample, str(error))
                continue
            if self.main_route is not None and self.main_route in routes:
                fields['pred_sem_seg'] = fields[self.main_route]
            sample.set_data(fields)
        self._score_classes(embedding, data_samples)

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
        step = super().val_step
        if CLASSIFICATION in self.streams:
            step = self._validate
        return predict_in_groups(step, data)

    def _validate(self, data: Any) -> list[SegDataSample]:
        data = self.data_preprocessor(data, False)
        _, embedding = self.encode(data['inputs'], with_attention=False)
        self._score_classes(embedding, data['data_samples'])
        return cast(list[SegDataSample], data['data_samples'])

    def _score_classes(
        self, embedding: Tensor, data_samples: list[SegDataSample]
    ) -> None:
        """Set ``class_scores``, logits of the foreground classes, (C,)."""
        if CLASSIFICATION not in self.streams:
            return
        logits = self._logits(embedding, self._frozen_text(CLASSIFICATION))
        classes = len(self.class_prompts.foreground)
        for sample, scores in zip(
            data_samples, logits[:, :classes], strict=True
        ):
            sample.class_scores = scores

    def _frozen_text(self, stream: str) -> Tensor:
        """Text features of a stream, computed once a run at test time."""
        if self.training or stream not in self._text_cache:
            self._text_cache[stream] = self.stream(stream).text_features(
                self.clip
            )
        return self._text_cache[stream]

    def train(self, mode: bool = True) -> 'CLIPPromptSegmentor':
        """Switch mode; prompts may have changed, so forget their features."""
        self.__dict__['_text_cache'] = {}
        return cast('CLIPPromptSegmentor', super().train(mode))

    _text_cache: dict[str, Tensor]

    # ------------------------------------------------------------------
    # Shared
    # ------------------------------------------------------------------

    def encode(
        self, inputs: Tensor, with_attention: bool = True
    ) -> tuple[ImageFeatures, Tensor]:
        """Trunk features, with or without attention, and embeddings (N, E)."""
        features = self.clip.encode_trunk(inputs, with_attention)
        return features, self.clip.run_last_block(features).embedding

    def _make_cams(
        self,
        features: ImageFeatures,
        embedding: Tensor,
        text: Tensor,
        labels: Tensor,
        use_caa: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """CAMs by the prompts of a stream, refined by CAA or not.

        Returns:
            tuple[Tensor, Tensor]: Maps, (P, h, w), and their pairs of image
            and class, (P, 2).
        """
        cams, pairs = softmax_gradcam(
            self.clip, features, embedding, text, labels, self.official
        )
        if use_caa:
            cams = self.caa(cams, features.attention, pairs[:, 0])
        return cams, pairs

    def _logits(self, embedding: Tensor, text: Tensor) -> Tensor:
        """Cosine similarities over the temperature, (N, G)."""
        return self.clip.scale * F.normalize(embedding, dim=1) @ text.T

    def _stack_labels(
        self, data_samples: list[SegDataSample], device: torch.device
    ) -> Tensor:
        labels = torch.stack([s.image_labels for s in data_samples]).to(device)
        expected = len(self.class_prompts.foreground)
        if labels.shape[1] != expected:
            raise ValueError(
                f'Expected image labels of {expected} foreground classes, as '
                f'in `class_prompts`, but the dataset gives {labels.shape[1]}.'
            )
        return labels

    def extract_feat(self, inputs: Tensor) -> ImageFeatures:
        """Trunk features of normalised images."""
        return self.clip.encode_trunk(inputs)

    def encode_decode(self, inputs: Tensor, batch_data_samples: Any) -> Tensor:
        """Not defined: seeds need image-level labels; use ``predict``."""
        raise NotImplementedError('Use `predict`: seeds need image labels.')

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
        """Logits of the first stream by name, (N, G)."""
        _, embedding = self.encode(inputs)
        return self._logits(embedding, self._frozen_text(min(self.streams)))


def _main_route(name: str | None, routes: Mapping[str, Any]) -> str | None:
    """The route that is named or the only one; None if there is none."""
    if name is None and len(routes) < 2:
        return next(iter(routes), None)
    if name not in routes:
        raise UserInputError(
            f'Expected `main_route` to name one of the routes {sorted(routes)}'
            f', but got {name!r}. Add it to the model of the config, e.g. '
            f'main_route={min(routes, default="fine_seed")!r}: its seed is '
            '`pred_sem_seg`.'
        )
    return name


def upsample_cams(cams: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bilinear resize of maps, (P, h, w) to (P, H, W)."""
    if not len(cams):
        return cams.new_zeros(0, *size)
    return F.interpolate(
        cams[None], size=tuple(size), mode='bilinear', align_corners=False
    )[0]
