# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Before the pipeline: a stand-in for mmcv's compiled operators."""

import importlib
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

import torch
from torch import Tensor

__all__ = ['OpsStandIn', 'install_ops_stand_in']

_EXTENSION = 'mmcv._ext'
_LOOK_FOR_OPS = ('mmseg.models', 'mmdet.models')


class OpsStandIn(ModuleType):
    """Takes the place of ``mmcv._ext`` where mmcv was built without ops.

    Every op is there and raises a ``RuntimeError`` when it is called, so that
    all of mmseg and mmdet can be imported. Multi-scale deformable attention,
    which Mask2Former needs, is computed by mmcv's own pure-PyTorch function.
    """

    def __init__(self) -> None:
        super().__init__(_EXTENSION, OpsStandIn.__doc__)
        # Without a loader: `mmcv.utils.check_ops_exist` stays truthful.
        self.__spec__ = ModuleSpec(_EXTENSION, loader=None, origin=__file__)
        self.ms_deform_attn_forward = ms_deform_attn_forward
        self.ms_deform_attn_backward = ms_deform_attn_backward
        # Asked for by mmcv's report on the environment.
        self.get_compiler_version = _not_available
        self.get_compiling_cuda_version = _not_available

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        """Make an op that raises when it is called."""
        # Leave Python's own questions to a module unanswered.
        if name.startswith('_'):
            raise AttributeError(f'module {_EXTENSION} has no {name!r}')

        def missing_op(*args: Any, **kwargs: Any) -> NoReturn:
            raise RuntimeError(
                f'mmcv was built without ops, so `{name}` cannot run. To use '
                f'`{name}`, install an mmcv with compiled ops: a wheel built '
                'for your torch and CUDA, or a build from source in an '
                'environment that has torch (`pip install --no-cache-dir '
                '--no-build-isolation onedl-mmcv`).'
            )

        missing_op.__name__ = missing_op.__qualname__ = name
        return missing_op


def install_ops_stand_in() -> bool:
    """Put a stand-in in the place of mmcv's ops where they do not work.

    Working ops, and whatever another library has put into their place, are
    left as they are.

    Returns:
        bool: Whether the stand-in is in use.
    """
    # Leave what is there already.
    loaded = sys.modules.get(_EXTENSION)
    if loaded is not None:
        return isinstance(loaded, OpsStandIn)
    # Leave ops that work; tell missing ones from broken ones.
    try:
        importlib.import_module(_EXTENSION)
        return False
    except ImportError as error:
        if getattr(error, 'name', None) == 'mmcv':
            raise
        if not _is_missing(error):
            _warn_of_broken_extension(error)
    # Put the stand-in where mmcv looks for its ops.
    _warn_of_early_imports()
    stand_in = OpsStandIn()
    sys.modules[_EXTENSION] = stand_in
    setattr(importlib.import_module('mmcv'), '_ext', stand_in)  # noqa: B010
    return True


def ms_deform_attn_forward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int = 64,
) -> Tensor:
    """Compute multi-scale deformable attention on any device, without ops.

    Letters: N images, K keys of all levels, Q queries, M heads, E channels a
    head, V levels, T points.

    Args:
        value (Tensor): Keys' values, (N, K, M, E).
        spatial_shapes (Tensor): Height and width of each level, (V, 2).
        level_start_index (Tensor): Not needed here, (V,).
        sampling_locations (Tensor): x and y in [0, 1], (N, Q, M, V, T, 2).
        attention_weights (Tensor): Weight of each point, (N, Q, M, V, T).
        im2col_step (int): Not needed here. Defaults to 64.

    Returns:
        Tensor: Attended values in the type of ``value``, (N, Q, M * E).
    """
    del level_start_index, im2col_step
    module = importlib.import_module('mmcv.ops.multi_scale_deform_attn')
    # Half precision loses sampling positions; autocast would mix types.
    precision = torch.promote_types(value.dtype, torch.float32)
    with torch.autocast(value.device.type, enabled=False):
        output: Tensor = module.multi_scale_deformable_attn_pytorch(
            value.to(precision),
            spatial_shapes.tolist(),  # one wait for the device, not one a use
            sampling_locations.to(precision),
            attention_weights.to(precision),
        )
    return output.to(value.dtype)


def ms_deform_attn_backward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_locations: Tensor,
    grad_attention_weights: Tensor,
    im2col_step: int = 64,
) -> None:
    """Compute gradients of :func:`ms_deform_attn_forward` by running it again.

    Args:
        value (Tensor): As in the forward pass, (N, K, M, E).
        spatial_shapes (Tensor): As in the forward pass, (V, 2).
        level_start_index (Tensor): As in the forward pass, (V,).
        sampling_locations (Tensor): As in the forward pass.
        attention_weights (Tensor): As in the forward pass.
        grad_output (Tensor): Gradient of the output, (N, Q, M * E).
        grad_value (Tensor): Written: gradient of ``value``.
        grad_sampling_locations (Tensor): Written, likewise.
        grad_attention_weights (Tensor): Written, likewise.
        im2col_step (int): Not needed here. Defaults to 64.
    """
    # Run the forward pass again, with gradients.
    inputs = [
        tensor.detach().requires_grad_()
        for tensor in (value, sampling_locations, attention_weights)
    ]
    with torch.enable_grad():
        output = ms_deform_attn_forward(
            inputs[0],
            spatial_shapes,
            level_start_index,
            inputs[1],
            inputs[2],
            im2col_step,
        )
    gradients = torch.autograd.grad(output, inputs, grad_output)
    # Write the gradients where the caller wants them.
    targets = (grad_value, grad_sampling_locations, grad_attention_weights)
    for target, gradient in zip(targets, gradients, strict=True):
        target.copy_(gradient)


def _not_available() -> str:
    return 'n/a'


def _is_missing(error: ImportError) -> bool:
    """Tell a missing extension from one that does not load."""
    return isinstance(error, ModuleNotFoundError) and error.name == _EXTENSION


def _warn_of_broken_extension(error: ImportError) -> None:
    warnings.warn(
        f'mmcv has compiled ops that do not load, and goes on without: {error}'
        '\nMost often they were compiled against another torch and came out '
        "of pip's cache. Build anew with `pip install --no-cache-dir "
        '--force-reinstall --no-deps NAME`, NAME being onedl-mmcv, mmcv or '
        'mmcv-lite, whichever is installed.',
        stacklevel=4,
    )


def _warn_of_early_imports() -> None:
    early = sorted(set(_LOOK_FOR_OPS) & set(sys.modules))
    if early:
        warnings.warn(
            f'{" and ".join(early)} had been imported before mmfmwsss and '
            'found an mmcv without ops: Mask2Former and other models that '
            'use ops will not work in this process. Put `import mmfmwsss` '
            'before the first import of mmseg or mmdet.',
            stacklevel=4,
        )
