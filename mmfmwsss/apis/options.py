# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""KEY=VALUE of the command line: read, and checked against a config."""

import inspect
import logging
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.logging import print_log
from mmengine.registry import Registry, root
from mmengine.runner import (
    EpochBasedTrainLoop,
    IterBasedTrainLoop,
    Runner,
    TestLoop,
    ValLoop,
    set_random_seed,
)
from torch.utils.data import DataLoader

from ..utils import UserInputError, nearby_names

_ALIKE = 0.75  # of 1, beyond which a new name is taken for a slip
__all__ = ['check_numbers', 'merge_options', 'read_options']

_ALWAYS = {'type', '_delete_', '_scope_'}
# Settings that the tools, the hooks and mmengine read beside the Runner's.
_TOP_LEVEL = {
    'class_prompts', 'custom_imports', 'find_unused_parameters',
    'load_from', 'model_wrapper_cfg', 'pretrained_remedy', 'resume',
    'sync_bn', 'train_command', 'tta_model', 'tta_pipeline', 'compile',
    'data_preprocessor', 'auto_scale_lr', 'runner_type',
}  # fmt: skip
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_OF_CONSTRUCTORS = {'constructor', 'optimizer', 'paramwise_cfg'}
# Whole numbers of a run, and their least.
_LEAST = {
    'train_cfg.max_epochs': 1,
    'train_cfg.max_iters': 1,
    'train_cfg.val_interval': 1,
    **{f'{loader}.batch_size': 1 for loader in _LOADERS},
    **{f'{loader}.num_workers': 0 for loader in _LOADERS},
}


def read_options(
    texts: Sequence[str], argument: str = '--cfg-options'
) -> dict[str, Any]:
    """Read KEY=VALUE texts as mmengine does, but keep spaces.

    Args:
        texts (Sequence[str]): Each with an ``=``; of a key given twice the
            last one counts.
        argument (str): Where they come from, for messages.

    Returns:
        dict: Value by dotted key.

    Raises:
        UserInputError: If the brackets of a value do not match.
    """
    options = {}
    for text in texts:
        key, _, value = text.partition('=')
        try:
            options[key] = _value(value)
        except (AssertionError, RecursionError) as error:
            raise UserInputError(
                f'argument {argument}: the brackets of {text!r} do not match'
            ) from error
    return options


def merge_options(config: Config, options: Mapping[str, Any]) -> None:
    """Merge options of the command line into a config.

    New settings are allowed where something can take them: an argument of
    the class that the dict names, or any name that is not like one there.

    Args:
        config (Config): Changed in place.
        options (Mapping): Value by dotted key; numbers index lists.

    Raises:
        UserInputError: If a key is mistyped, has no effect or leads nowhere.
    """
    for key in options:
        _check_key(config, key, options)
    config.merge_from_dict(dict(options))


def check_numbers(config: Config) -> None:
    """Check epochs, batches and workers.

    Raises:
        UserInputError: If one of them is no whole number, or too small.
    """
    for key, least in _LEAST.items():
        # See that a number that is set is whole and large enough.
        section, name = key.split('.')
        value = (config.get(section) or {}).get(name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise UserInputError(
                f'Expected {key} to be a whole number from {least} on, but '
                f'got {value!r}. Correct it in the config or --cfg-options.'
            )


def _value(text: str) -> Any:
    """Parse a value as mmengine does, but keep a text with spaces whole."""
    if ' ' in text and ',' not in text and text[0] not in '[(\'"':
        return text
    return DictAction._parse_iterable(text)


def _check_key(config: Config, key: str, options: Mapping[str, Any]) -> None:
    """Follow a key into the config until something does not fit."""
    node: Any = config._cfg_dict
    parts = key.split('.')
    for depth, part in enumerate(parts):
        above = '.'.join(parts[:depth])
        # Step into a dict, or check the new name in it.
        if isinstance(node, Mapping):
            if part in node:
                if not depth:
                    _check_effect(key, node)
                node = node[part]
                continue
            if part not in _ALWAYS:
                _check_new(key, above, part, node, options)
            return
        # Step into a list by its index.
        if isinstance(node, list) and part.isdecimal():
            if int(part) < len(node):
                node = node[int(part)]
                continue
            raise UserInputError(
                f'--cfg-options {key}: `{above}` has {len(node)} items, '
                f'counted from 0, and no item {part}.'
            )
        # Refuse to step into anything else.
        what = f'a {type(node).__name__}' if node is not None else 'None'
        raise UserInputError(
            f'--cfg-options {key}: `{above}` is {what} in the config, without '
            f'a part `{part}`. Set it as a whole, {above}=..., or edit the '
            'config.'
        )


def _check_effect(key: str, top: Mapping[str, Any]) -> None:
    """See that a setting of the top level is read after the config is.

    Raises:
        UserInputError: If not, and it is set as a whole.
    """
    name = key.split('.')[0]
    if name in _top_level():
        return
    # Refuse it as a whole; warn of a part, which may be meant.
    text = (
        f'--cfg-options {key} has no effect: `{name}` ({top[name]!s:.60}) '
        'is used only while the config is read. Set what is made from it, edit'
        ' the config, or set its variable where it has one, e.g. $CUSTOM_ROOT.'
    )
    if name == key:
        raise UserInputError(text)
    print_log(text, logger='current', level=logging.WARNING)


def _top_level() -> set[str]:
    return _TOP_LEVEL | set(inspect.signature(Runner).parameters)


def _check_new(
    key: str, above: str, name: str, node: Any, options: Mapping[str, Any]
) -> None:
    """Refuse a name that nothing takes, or that is like one that is there."""
    # Pass what something takes.
    known, open_ended = _accepted(above, node, options)
    if name in known:
        return
    # Add a name that is no slip, where any is taken.
    like = [n for n in sorted(known | set(node)) if _are_alike(name, n)]
    alike = nearby_names(name, like)
    named_type = f'{above}.{name}.type' in options  # a new part, on purpose
    if open_ended and (named_type or not alike):
        print_log(
            f'--cfg-options {key}: the config had no `{name}` so far.',
            logger='current',
            level=logging.WARNING,
        )
        return
    # Refuse the others.
    where = f'`{above}`' if above else 'The config'
    raise UserInputError(
        f'--cfg-options {key}: {where} has no setting `{name}`.{alike} '
        'Correct the key, or leave it out.'
    )


def _are_alike(name: str, other: str) -> bool:
    """Tell if one name may be a slip of the other."""
    return SequenceMatcher(None, name, other).ratio() >= _ALIKE


def _accepted(
    above: str, node: Mapping[str, Any], options: Mapping[str, Any]
) -> tuple[set[str], bool]:
    """List names that a dict may have, and tell if others may be added."""
    if not above:
        return _top_level(), False
    # Know the classes of parts that mostly name none.
    fixed: dict[str, list[Any]] = {
        'train_cfg': [EpochBasedTrainLoop, IterBasedTrainLoop],
        'val_cfg': [ValLoop],
        'test_cfg': [TestLoop],
        'randomness': [set_random_seed],
        **{loader: [DataLoader] for loader in _LOADERS},
    }
    kind = options.get(f'{above}.type', node.get('type'))
    if above in fixed and kind is None:
        more = {'by_epoch', 'num_batch_per_epoch'}
        return more.union(*map(_parameters, fixed[above])), False
    # Ask the class that the part names.
    found = _find_class(kind)
    if found is None:
        return set(), True
    more = _OF_CONSTRUCTORS if above == 'optim_wrapper' else set()
    return _parameters(found) | more, _takes_more(found)


def _find_class(kind: Any) -> Any:
    """Find the class of a ``type`` in any registry; None if in none."""
    name = str(kind).rsplit('.', 1)[-1]

    def search(registry: Registry) -> Any:
        for child in registry.children.values():
            if (found := search(child)) is not None:
                return found
        return registry.module_dict.get(name)

    # Search the registries of all packages.
    roots = [r for r in vars(root).values() if isinstance(r, Registry)]
    found = (search(registry) for registry in roots)
    return next((c for c in found if c is not None), None)


def _parameters(function: Any) -> set[str]:
    """List names of arguments, of its bases too where it hands them on."""
    names: set[str] = set()
    for parameters in _signatures(function):
        names |= {p.name for p in parameters}
    return names - {'self', 'args', 'kwargs'}


def _takes_more(function: Any) -> bool:
    """Tell if the last of the chain takes any name."""
    *_, last = _signatures(function)
    return any(p.kind is p.VAR_KEYWORD for p in last)


def _signatures(function: Any) -> list[list[inspect.Parameter]]:
    """List arguments of a function, or of a class and those it hands on to."""
    # List the constructors of a class, from itself to its bases.
    makers = [function]
    if inspect.isclass(function):
        owners = [c for c in function.__mro__ if '__init__' in vars(c)]
        makers = [vars(c)['__init__'] for c in owners if c is not object]
    # Follow them as long as each hands other arguments on.
    found: list[list[inspect.Parameter]] = []
    for maker in makers:
        found.append(list(inspect.signature(maker).parameters.values()))
        if all(p.kind is not p.VAR_KEYWORD for p in found[-1]):
            break
    return found or [[]]
