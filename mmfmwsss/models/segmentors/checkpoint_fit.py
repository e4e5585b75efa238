# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""See that a checkpoint is of the model that it is given to."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ...utils import UserInputError
from ...utils.model_wrappers import unwrap_model

__all__ = [
    'check_classes',
    'check_start',
    'check_weights',
    'weights_of',
]

# Made anew by the model where a file lacks them
_OPTIONAL = ('num_batches_tracked', 'relative_position_index', '.layout')
_LEAST_SHARE = 0.5  # of the model, for a training to start from it
_OWN_CONFIG = 'Use the config that it was trained with, or train again.'


def weights_of(checkpoint: Any, where: str) -> dict[str, Tensor]:
    """Name a checkpoint's weights without a wrapper's ``module.``.

    Args:
        checkpoint (Any): As read: with a ``state_dict``, or one itself.
        where (str): The file, for messages.

    Raises:
        UserInputError: If it has none, or there is a NaN or infinity in them.
    """
    # Find the state dict in whatever was saved
    state = checkpoint
    if isinstance(checkpoint, Mapping):
        state = checkpoint.get('state_dict', checkpoint)
    if not isinstance(state, Mapping) or not state:
        raise UserInputError(
            f'Expected weights in {where}, but there are none. {_OWN_CONFIG}'
        )
    # Take the wrapper's name off each key
    weights = {}
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise UserInputError(
                f'Expected weights by their names in {where}, but {key!r} is '
                f'a {type(value).__name__}. Save the state_dict of the model.'
            )
        weights[re.sub(r'^module\.', '', key)] = value
    # Refuse the weights of a training that failed
    for key, value in weights.items():
        odd = value.numel() - int(torch.isfinite(value).sum())
        if odd:
            raise UserInputError(
                f'Expected numbers in {where}, but {odd} of {value.numel()} '
                f'values of {key} are NaN or infinite. Its training failed: '
                f'take an earlier checkpoint, or train again with a lower '
                f'learning rate.'
            )
    return weights


def check_weights(
    model: nn.Module, weights: Mapping[str, Tensor], where: str
) -> None:
    """Load weights that must be all of a model, for a test or a resumption.

    Weights of parts that the model has not, such as an auxiliary head that
    only training needs, are left out.

    Args:
        model (nn.Module): Any, also wrapped for several GPUs or for test-time
            augmentation. Changed.
        weights (Mapping): From :func:`weights_of`.
        where (str): The file, for messages.

    Raises:
        UserInputError: If weights are missing, are left over in a part that
            the model has, or have another shape.
    """
    model = unwrap_model(model)
    own = model.state_dict()
    reshaped = _reshaped(own, weights)
    missing, unknown = [], []
    # Load what fits, and note what does not
    try:
        found = model.load_state_dict(dict(weights), strict=False)
    except RuntimeError as error:
        if not reshaped:
            reshaped = [str(error).splitlines()[-1].strip()]
    else:
        reshaped = []  # a module may have brought them to its shape
        missing = _needed(found.missing_keys)
        unknown = _of_known_parts(found.unexpected_keys, own)
    if reshaped and not missing:
        missing = _needed(own.keys() - weights.keys())
    # Refuse a file that is not this model's
    used = own.keys() & weights.keys()
    if missing or unknown or reshaped or not used:
        raise UserInputError(
            f'Expected the weights of {_name(model)} in {where}, but '
            + _what_differs(len(own), missing, unknown, reshaped, weights)
            + f' {_OWN_CONFIG}'
        )
    _warn_about_layouts(own.keys() - weights.keys(), where)


def _of_known_parts(
    keys: Iterable[str], own: Mapping[str, Tensor]
) -> list[str]:
    """Keep keys that must be there, in the parts that a model has."""
    parts = {_part(key) for key in own}
    return [key for key in _needed(keys) if _part(key) in parts]


def check_start(
    model: nn.Module, weights: Mapping[str, Tensor], where: str
) -> None:
    """See that a training starts from weights, not from next to nothing.

    A new training may replace parts: a head for other classes, one of two
    sets of prompts. These are named in a warning. With less than half of the
    model's weights the file is that of another model, and is refused.

    Args:
        model (nn.Module): As above; left as it is.
        weights (Mapping): From :func:`weights_of`.
        where (str): The file, for messages.

    Raises:
        UserInputError: If less than half of the weights are there, or, of
            prompts, no set.
    """
    # Count the weights that fit
    model = unwrap_model(model)
    own = {k: v for k, v in model.state_dict().items() if _needed([k])}
    reshaped = _reshaped(own, weights)
    missing = sorted(own.keys() - weights.keys())
    fitting = len(own) - len(reshaped) - len(missing)
    # Refuse the file of another model
    if not fitting or fitting < _LEAST_SHARE * len(own):
        raise UserInputError(
            f'Expected to start the training from weights of {_name(model)} '
            f'in {where}, but it has {fitting} of {len(own)}: '
            + _what_differs(len(own), missing, [], reshaped, weights)
            + ' Correct `load_from`, or leave it out.'
        )
    # Name a part that starts anew
    if missing or reshaped:
        print_log(
            f'{where} has {fitting} of {len(own)} weights of {_name(model)}; '
            f'the others start anew, e.g. {[*reshaped, *missing][0]}.',
            logger='current',
            level=logging.WARNING,
        )


def check_classes(
    checkpoint: Mapping[str, Any], classes: Sequence[str] | None, where: str
) -> None:
    """Compare the classes that a network was trained on with a data set's.

    Args:
        checkpoint (Mapping): As read. mmengine notes the training data set in
            ``meta['dataset_meta']``, mmseg 0.x in ``meta['CLASSES']``.
        classes (Sequence[str], optional): Of the data set, in the order of
            the label values. None: it has none, and nothing is compared.
        where (str): The file, for messages.

    Raises:
        UserInputError: If they differ, or are in another order.
    """
    if classes is None:
        return
    # Take the data set's classes where the file is silent
    trained = _trained_classes(checkpoint)
    if trained is None:
        print_log(
            f'{where} does not say which classes it was trained on; they are '
            f'taken to be those of the data set: {", ".join(classes)}.',
            logger='current',
            level=logging.WARNING,
        )
        return
    # Compare names by their letters, and find the first that differs
    if [_plain(c) for c in trained] == [_plain(c) for c in classes]:
        return
    first = next(
        (
            n
            for n, (a, b) in enumerate(zip(trained, classes, strict=False))
            if _plain(a) != _plain(b)
        ),
        min(len(trained), len(classes)),
    )
    theirs, ours = ([*names, 'none'] for names in (trained, classes))
    raise UserInputError(
        f'Expected a network for the {len(classes)} classes of the data set, '
        f'but {where} was trained on {len(trained)}: class {first} is '
        f'{theirs[first]!r} there and {ours[first]!r} here. Name the classes '
        f'as in training and in that order, or train again.'
    )


@dataclass(frozen=True)
class _Differing:
    """A weight whose shape is not the model's."""

    key: str
    theirs: tuple[int, ...]
    ours: tuple[int, ...]

    def __str__(self) -> str:
        return f'{self.key} is {self.theirs}, the model has {self.ours}'


def _reshaped(
    own: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> list[str]:
    return [
        str(_Differing(key, tuple(weights[key].shape), tuple(value.shape)))
        for key, value in own.items()
        if key in weights and weights[key].shape != value.shape
    ]


def _needed(keys: Iterable[str]) -> list[str]:
    """List the keys that must be there, as in the plain model of a wrapper."""
    plain = (key.removeprefix('segmentor.') for key in keys)
    return sorted(key for key in plain if not key.endswith(_OPTIONAL))


def _part(key: str) -> str:
    """Name the part of a model: ``backbone``, ``streams.segmentation``."""
    first, *rest = key.split('.')
    return f'{first}.{rest[0]}' if first == 'streams' and rest else first


def _name(model: nn.Module) -> str:
    return type(getattr(model, 'segmentor', model)).__name__


def _what_differs(
    total: int,
    missing: Sequence[str],
    unknown: Sequence[str],
    reshaped: Sequence[str],
    weights: Mapping[str, Tensor],
) -> str:
    """Say what differs, with a number and one example of each."""
    said = []
    if missing:
        said.append(
            f'{len(missing)} of {total} are missing (e.g. {missing[0]})'
        )
    if reshaped:
        said.append(f'{len(reshaped)} have another shape ({reshaped[0]})')
    if unknown:
        said.append(f'{len(unknown)} are unknown (e.g. {unknown[0]})')
    said.append(f'the file has {len(weights)}, such as {next(iter(weights))}')
    return ', '.join(said) + '.'


def _warn_about_layouts(missing: Iterable[str], where: str) -> None:
    if any(key.endswith('.layout') for key in missing):
        print_log(
            f'{where} does not say for which classes its prompts are; they '
            f'are taken to be for those of the config.',
            logger='current',
            level=logging.WARNING,
        )


def _trained_classes(checkpoint: Mapping[str, Any]) -> list[str] | None:
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping):
        return None
    # Look where mmengine notes them, then where mmseg 0.x did
    noted = meta.get('dataset_meta')
    for source, key in ((noted, 'classes'), (meta, 'CLASSES')):
        found = source.get(key) if isinstance(source, Mapping) else None
        if isinstance(found, (list, tuple)) and found:
            return [str(name) for name in found]
    return None


def _plain(name: str) -> str:
    """Reduce a name to its letters: ``Dining_Table`` to ``diningtable``."""
    return re.sub(r'[\W_]', '', str(name).lower())
