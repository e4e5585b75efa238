# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Stop a training that has left the numbers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from torch import Tensor, nn

from ...utils import UserInputError
from ...utils.model_wrappers import unwrap_model
from ..dataloaders import check_batches

__all__ = ['FiniteTrainingHook']

_SHOWN = 16  # images of a batch


@HOOKS.register_module()
class FiniteTrainingHook(Hook):
    """Stop at a loss that is NaN or infinite, and save no such weights.

    The error names the loss and the images of the batch. What was saved
    before stays, and is what to go on from. Steps that mixed precision skips,
    because scaled gradients overflow, are none of its business: their losses
    are finite.
    """

    priority = 'ABOVE_NORMAL'  # before anything is written

    def before_train(self, runner: Runner) -> None:
        """See that there is a batch to learn from."""
        check_batches(runner)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Look at the losses of the iteration.

        Raises:
            UserInputError: If one is not finite.
        """
        for name, value in (outputs or {}).items():
            if not _is_finite(value):
                found = float(torch.as_tensor(value).detach().sum())
                raise UserInputError(
                    f'Expected a finite loss, but `{name}` is {found} at '
                    f'iteration {runner.iter + 1}, of the images '
                    f'{_names(data_batch)}. {_remedy(runner)}'
                )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Look at what was learnt.

        Raises:
            UserInputError: If a parameter or a statistic is not finite.
        """
        model = unwrap_model(runner.model)
        bad = [name for name, value in _learnt(model) if not _is_finite(value)]
        if bad:
            raise UserInputError(
                f'Expected finite weights to save after iteration '
                f'{checkpoint["meta"]["iter"]}, but {len(bad)} tensors have '
                f'NaN or infinite values, the first is `{bad[0]}`. '
                f'{_remedy(runner)}'
            )


def _is_finite(value: Any) -> bool:
    return bool(torch.isfinite(torch.as_tensor(value).detach()).all())


def _learnt(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """List the trained parameters and the running statistics."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            yield name, parameter.detach()
    for name, buffer in model.named_buffers():
        if name.endswith(('running_mean', 'running_var')):
            yield name, buffer


def _names(data_batch: Any) -> str:
    """Name the images of a batch, as far as its samples know them."""
    names = [
        str(sample.get('image_name') or Path(sample.get('img_path', '')).name)
        for sample in _samples(data_batch)
        if hasattr(sample, 'get')
    ]
    text = ', '.join(name for name in names[:_SHOWN] if name) or '(unknown)'
    more = len(names) - _SHOWN
    return f'{text} and {more} more' if more > 0 else text


def _samples(data_batch: Any) -> Sequence[Any]:
    """List the samples of a batch; none if it has another form."""
    samples: Any = []
    if isinstance(data_batch, Mapping):
        samples = data_batch.get('data_samples') or []
    return samples if isinstance(samples, Sequence) else [samples]


def _remedy(runner: Runner) -> str:
    """Name the rate, and the checkpoint that is left."""
    # Find the present learning rate
    wrapper = runner.optim_wrapper
    wrappers = (
        list(wrapper.values())
        if isinstance(wrapper, OptimWrapperDict)
        else [wrapper]
    )
    rates = [group['lr'] for each in wrappers for group in each.param_groups]
    # Find a checkpoint from before
    last = Path(runner.work_dir) / 'last_checkpoint'
    left = 'No checkpoint was written yet.'
    if last.is_file() and (file := last.read_text().strip()):
        left = f'The last checkpoint, {file}, is from before.'
    return (
        'Train with a lower `optim_wrapper.optimizer.lr` (its present rate is '
        f'{max(rates):g}), and look at these images and their labels. {left}'
    )
