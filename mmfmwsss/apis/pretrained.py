# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""See before training that pre-trained weights are there and fit."""

import logging
from collections.abc import Iterator

from mmengine.logging import print_log
from torch import Tensor, nn

from ..utils import UserInputError, read_weights, resolve_path

__all__ = ['check_pretrained']

_LEAST_SHARE = 0.9  # of a network's weights that its own file has
_PREFIXES = ('module.', 'backbone.')
# Made anew, resized, or a count that old files lack.
_NOT_NEEDED = ('num_batches_tracked', 'relative_position_index')
_RESIZED = ('relative_position_bias_table', 'absolute_pos_embed')


def check_pretrained(model: nn.Module, remedy: str = '') -> None:
    """Check the local files of every ``init_cfg`` of type ``Pretrained``.

    mmengine takes what fits by name and goes on without the rest, so that the
    file of another network would leave all weights random.

    Args:
        model (nn.Module): As built, not yet initialised.
        remedy (str): Where the file comes from; ends the message.

    Raises:
        UserInputError: If a file is missing or damaged, or has less than 90 %
            of the weights of its module.
    """
    for module, file in _pretrained(model):
        # Read the file, and drop the prefixes of its names.
        path = resolve_path(file, remedy)
        name = type(module).__name__
        found = read_weights(
            path, name, wrappers=('state_dict', 'model'), remedy=remedy
        )
        for prefix in _PREFIXES:
            found = {k.removeprefix(prefix): v for k, v in found.items()}
        # Find weights of the module that the file lacks.
        wanted = {
            key: value
            for key, value in module.state_dict().items()
            if not key.endswith(_NOT_NEEDED)
        }
        absent = [
            key
            for key, value in wanted.items()
            if not _fits(key, value, found)
        ]
        # Refuse another network's file; warn of a few gaps.
        share = 1 - len(absent) / max(len(wanted), 1)
        if share < _LEAST_SHARE:
            raise UserInputError(
                f'Expected the weights of {name} in {path}, but it has '
                f'{len(wanted) - len(absent)} of {len(wanted)}; {absent[0]}, '
                f'for example, is missing or has another shape. {remedy}'
            )
        if absent:
            print_log(
                f'{path} lacks {len(absent)} of {len(wanted)} weights of '
                f'{name}, which start at random, e.g. {absent[0]}.',
                logger='current',
                level=logging.WARNING,
            )


def _pretrained(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Find modules that start from a local file, and the file."""
    for module in model.modules():
        settings = getattr(module, 'init_cfg', None) or []
        for setting in settings if isinstance(settings, list) else [settings]:
            if not isinstance(setting, dict):
                continue
            # Leave addresses to mmengine, which fetches them.
            file = setting.get('checkpoint')
            if setting.get('type') == 'Pretrained' and '://' not in str(file):
                yield module, str(file)


def _fits(key: str, value: Tensor, found: dict[str, Tensor]) -> bool:
    """Tell if a weight is in the file, in its shape or to be resized."""
    if key not in found:
        return False
    return key.endswith(_RESIZED) or found[key].shape == value.shape
