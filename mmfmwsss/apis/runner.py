# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The runner of the command-line tools, which reads checkpoints safely."""

from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

from ..engine.hooks import CheckpointFitHook
from .checkpoint_reader import install_checkpoint_reader

__all__ = ['build_runner']


def build_runner(
    config: Config, training: bool = False, trust_checkpoint: bool = False
) -> Runner:
    """Build mmengine's runner; it loads checkpoints that are safe and fit.

    No file that it reads runs code, and what it loads is the model's; see
    :class:`CheckpointFitHook`.

    Args:
        config (Config): Of the run.
        training (bool): Whether it will train.
        trust_checkpoint (bool): Whether code in the checkpoint of
            ``load_from``, or in the one that is resumed from, may be run.

    Returns:
        Runner: The runner.
    """
    # Find the one file that may run code, if the user allows it.
    trusted = None
    if trust_checkpoint:
        trusted = config.get('load_from')
        if trusted is None and config.get('resume'):
            trusted = find_latest_checkpoint(config.work_dir)
    # Build the runner, with the safe reader and the check of fit.
    install_checkpoint_reader(trusted)
    runner = Runner.from_cfg(config)
    runner.register_hook(CheckpointFitHook(training))
    return runner
