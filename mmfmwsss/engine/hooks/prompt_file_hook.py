# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The learnt prompts alone, in a small file that is safe to load."""

import io
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...models.segmentors import CLIPPromptSegmentor
from ...utils import atomic_path
from ...utils.model_wrappers import unwrap_model
from ...version import __version__

__all__ = ['PromptFileHook']

_FILE = 'prompts.pth'  # the configs that score classes load it


@HOOKS.register_module()
class PromptFileHook(Hook):
    """Write ``prompts.pth`` beside every checkpoint, of the same state.

    mmengine's checkpoints also hold optimiser, schedules and log history, for
    resumption. This file holds tensors, numbers and strings only: the prompts,
    the layouts that tell which classes and settings they are for, and where
    they come from. ``torch.load(weights_only=True)`` reads it without this
    package, ``tools/test.py`` like any checkpoint. Runs of other models, and
    of prompts written by hand, write none.
    """

    priority = 'LOWEST'  # after EMAHook, which changes what is saved

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Write the file; mmengine calls this in the main process."""
        # Leave other models alone, and prompts with nothing learnt
        model = unwrap_model(runner.model)
        state = dict(checkpoint['state_dict'])
        if not isinstance(model, CLIPPromptSegmentor) or not state:
            return
        # Note what the prompts are for, and where they come from
        prompts = model.class_prompts
        meta = dict(
            foreground=list(prompts.foreground),
            background=list(prompts.background),
            dataset_meta=dict(  # where mmseg's init_model looks for names
                classes=list(prompts.labels),
                palette=[list(colour) for colour in prompts.palette],
            ),
            clip=model.clip.description,
            epoch=int(checkpoint['meta']['epoch']),
            iter=int(checkpoint['meta']['iter']),
            mmfmwsss_version=__version__,
        )
        # In memory first: torch reports a full disk in its own words
        content = io.BytesIO()
        torch.save(dict(meta=meta, state_dict=state), content)
        with atomic_path(Path(runner.work_dir) / _FILE) as path:
            path.write_bytes(content.getvalue())
