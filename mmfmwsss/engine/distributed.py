# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Several processes: with and without a GPU, with and without gradients."""

from typing import Any, cast

import torch.distributed
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmseg.registry import MODEL_WRAPPERS
from torch import nn

from ..utils import UserInputError

__all__ = [
    'AnyDeviceDataParallel',
    'InferenceDataParallel',
    'prepare_processes',
]


@MODEL_WRAPPERS.register_module()
class AnyDeviceDataParallel(MMDistributedDataParallel):
    """Data-parallel training on GPUs, as mmengine's, or on the CPU.

    The gradient is the mean of the processes' gradients. It is the gradient
    of one process with all pictures where every process averages over as many
    things: L_MCL and L_CAL with ``average='image'`` average over the pictures
    that have a pair, so equal batches of labelled pictures are exact. With
    ``'pair'`` or ``'batch'``, or if a crop of one process has no pixel that
    counts, each process weighs the same whatever its number of pairs.

    Args:
        module (nn.Module): The model.
        device_ids (list[int], optional): mmengine gives the local rank; left
            out if the model is on the CPU.
        **kwargs: See ``MMDistributedDataParallel``.
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: list[int] | None = None,
        **kwargs: Any,
    ) -> None:
        if all(p.device.type == 'cpu' for p in module.parameters()):
            device_ids = None
        super().__init__(module, device_ids=device_ids, **kwargs)


@MODEL_WRAPPERS.register_module()
class InferenceDataParallel(nn.Module):
    """Each process predicts its share of the pictures; no gradient travels.

    ``DistributedDataParallel`` refuses models without trainable parameters,
    as SAM and manual prompts are.

    Args:
        module (nn.Module): The model.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Forward as the model itself does."""
        return self.module(*args, **kwargs)

    def val_step(self, data: Any) -> Any:
        """Validate as the model itself does."""
        return cast(BaseModel, self.module).val_step(data)

    def test_step(self, data: Any) -> Any:
        """Test as the model itself does."""
        return cast(BaseModel, self.module).test_step(data)


def prepare_processes(config: Config, training: bool) -> None:
    """Choose how the model is wrapped, and start gloo where there is no GPU.

    Does nothing for a single process (``launcher='none'``). On a GPU mmengine
    starts the processes' group itself.

    Args:
        config (Config): Changed in place; ``model_wrapper_cfg`` is kept if
            the user set it.
        training (bool): Whether gradients are needed.

    Raises:
        UserInputError: If there is no GPU and the launcher is not
            ``'pytorch'``.
    """
    if config.launcher == 'none':
        return
    # Wrap the model, with gradients or without
    if config.get('model_wrapper_cfg') is None:
        config.model_wrapper_cfg = dict(
            type='mmseg.AnyDeviceDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=config.get('find_unused_parameters', False),
        )
        if not training:
            config.model_wrapper_cfg = dict(type='mmseg.InferenceDataParallel')
    # Start the group of processes where there is no GPU
    if get_device() != 'cpu' or torch.distributed.is_initialized():
        return
    if config.launcher != 'pytorch':
        raise UserInputError(
            'Expected `--launcher pytorch` on a machine without a GPU, but '
            f'got {config.launcher!r}. Start it with `torchrun '
            '--nproc_per_node N tools/train.py CONFIG --launcher pytorch`.'
        )
    # mmengine would select a CUDA device first
    torch.distributed.init_process_group('gloo')
