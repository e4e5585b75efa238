# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""CLIP weights in, an open_clip model out, whatever the file format."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import open_clip
from mmengine.logging import print_log
from open_clip import CLIP
from open_clip.transformer import VisionTransformer

from ...utils import UserInputError, resolve_path
from .photo_clip import PHOTO_CLIP, build_photo_clip
from .weight_files import WEIGHTS_REMEDY, CLIPWeights, read_clip_state

__all__ = ['build_clip']


def build_clip(
    arch: str | dict[str, Any],
    checkpoint: str | None,
    stem_checkpoint: str | None = None,
) -> tuple[CLIP, str]:
    """Build an open_clip model and load its weights.

    Args:
        arch (str | dict): Name of an open_clip model such as ``'ViT-B-16'``,
            or the arguments of ``open_clip.CLIP``. Where the file tells its
            activation, ``'ViT-B-16'`` takes that, else the name's:
            ``'ViT-B-16-quickgelu'`` is QuickGELU. Arguments stand as given.
            ``'photo_clip'``: see :func:`build_photo_clip`.
        checkpoint (str, optional): A local file, ``'mmfmwsss://NAME'`` for
            weights that come with the package, or a tag that open_clip knows
            for ``arch`` (this one needs internet access). None leaves the
            weights random.
        stem_checkpoint (str, optional): Of ``'photo_clip'`` only.

    Returns:
        tuple[CLIP, str]: The model in eval mode, frozen, and a line that says
        what it is.

    Raises:
        UserInputError: If the name, the file or its contents do not fit.
    """
    # Build the photo CLIP, which is none of open_clip's
    if arch == PHOTO_CLIP:
        model = build_photo_clip(checkpoint, stem_checkpoint)
        if checkpoint is None:
            _tell_of_random_weights()
        return model.eval().requires_grad_(False), f'{arch} from {checkpoint}'
    # Refuse a name that open_clip does not know
    if isinstance(arch, str) and arch not in open_clip.list_models():
        raise UserInputError(
            f'Expected `clip.arch` to be a name in open_clip.list_models() '
            f"such as 'ViT-B-16', or 'photo_clip', or a dict, but got "
            f'{arch!r}.'
        )
    # Fetch published weights by their tag, or read a file
    is_tag = isinstance(
        arch, str
    ) and checkpoint in open_clip.list_pretrained_tags_by_model(arch)
    if isinstance(arch, str) and is_tag:
        model = open_clip.create_model(arch, pretrained=checkpoint)
    else:
        model = _build_from_file(arch, checkpoint)
    # Refuse towers that Softmax-GradCAM cannot look into
    if not isinstance(model, CLIP) or not isinstance(
        model.visual, VisionTransformer
    ):
        raise UserInputError(
            f'Expected a CLIP with a ViT image tower and the standard text '
            f'tower, but {arch!r} is a {type(model).__name__} with '
            f'{type(model.visual).__name__}. ViT-B-16, ViT-L-14 and the like '
            f'work.'
        )
    return model.eval().requires_grad_(False), f'{arch} from {checkpoint}'


def _build_from_file(
    arch: str | dict[str, Any], checkpoint: str | None
) -> CLIP:
    # Read the weights first: they may tell the activation
    weights = None
    if checkpoint is not None:
        path = resolve_path(checkpoint, WEIGHTS_REMEDY)
        weights = read_clip_state(path)
    # Build the model with that activation
    if isinstance(arch, dict):
        model = CLIP(**arch)
    else:
        quick = _needs_quick_gelu(arch, weights, checkpoint)
        with _no_word_of_random_weights():
            model = open_clip.create_model(
                arch, pretrained=None, force_quick_gelu=quick
            )
    # Load every weight, or say that there is none
    if weights is None:
        _tell_of_random_weights()
        return model
    try:
        model.load_state_dict(weights.state)
    except RuntimeError as error:
        raise UserInputError(
            f'Expected the weights of {arch} in {checkpoint}, but they are '
            f'of another model: {str(error).splitlines()[1].strip()[:200]} '
            f'Set `clip.arch` to the model of the file.'
        ) from error
    return model


def _tell_of_random_weights() -> None:
    print_log('CLIP has random weights: no checkpoint was given.', 'current')


@contextmanager
def _no_word_of_random_weights() -> Iterator[None]:
    """Silence open_clip, which does not know who loads the weights."""

    def others(record: logging.LogRecord) -> bool:
        return 'initialized randomly' not in record.getMessage()

    root = logging.getLogger()
    root.addFilter(others)
    try:
        yield
    finally:
        root.removeFilter(others)


def _needs_quick_gelu(
    arch: str, weights: CLIPWeights | None, checkpoint: str | None
) -> bool:
    """Tell if QuickGELU must be asked for, beyond what the name says."""
    # Trust the name where the file is silent
    if weights is None or weights.quick_gelu is None:
        if weights is not None:
            print_log(
                f'{checkpoint} does not tell the activation of its model; '
                f'`clip.arch` {arch!r} does.',
                'current',
                logging.WARNING,
            )
        return False
    # Refuse a name that contradicts the file
    by_name = bool(open_clip.get_model_config(arch).get('quick_gelu', False))
    if by_name and not weights.quick_gelu:
        raise UserInputError(
            f'Expected a model with QuickGELU for `clip.arch` {arch!r}, but '
            f'the file of its config beside {checkpoint} says GELU. Set '
            f'`clip.arch` to {arch.removesuffix("-quickgelu")!r}.'
        )
    return weights.quick_gelu
