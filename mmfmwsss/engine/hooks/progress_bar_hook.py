# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A progress bar for training, validation and test."""

import sys
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from tqdm import tqdm

__all__ = ['ProgressBarHook']


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Show how far the run is, and how long it will take.

    On a terminal the bar moves in place; in a file it writes a line every
    ``file_interval`` seconds, so that logs stay short.

    Args:
        file_interval (float): Seconds between lines where the standard error
            is not a terminal.
    """

    priority = 'VERY_LOW'

    def __init__(self, file_interval: float = 20.0) -> None:
        self.file_interval = file_interval
        self._bar: Any = None

    def _open(self, total: int, initial: int, text: str, unit: str) -> None:
        self._close()
        if is_main_process():
            interactive = sys.stderr.isatty()
            self._bar = tqdm(
                total=total,
                initial=initial,
                desc=text,
                unit=unit,
                mininterval=0.2 if interactive else self.file_interval,
                maxinterval=max(10.0, self.file_interval),
                dynamic_ncols=interactive,
            )

    def _step(self) -> None:
        if self._bar is not None:
            self._bar.update()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def before_train(self, runner: Runner) -> None:
        """Open the bar over all iterations of the training."""
        self._open(runner.max_iters, runner.iter, 'train', 'it')

    def after_train_iter(
        self, runner: Runner, *args: Any, **kwargs: Any
    ) -> None:
        """Advance."""
        self._step()

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        self._close()

    def before_test_epoch(self, runner: Runner) -> None:
        """Open the bar over all test batches."""
        self._open(len(runner.test_dataloader), 0, 'test', 'batch')

    def after_test_iter(
        self, runner: Runner, *args: Any, **kwargs: Any
    ) -> None:
        """Advance."""
        self._step()

    def after_test_epoch(
        self, runner: Runner, *args: Any, **kwargs: Any
    ) -> None:
        """Close the bar."""
        self._close()
