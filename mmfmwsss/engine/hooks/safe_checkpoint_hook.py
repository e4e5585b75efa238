# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Checkpoints that are whole, and of which there is always one."""

from collections import deque
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...utils import atomic_path

__all__ = ['SafeCheckpointHook', 'WholeFileBackend']

_BACKEND = 'mmfmwsss_whole_files'


class WholeFileBackend(LocalBackend):
    """The local disk, where a file appears when all of it is written."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write aside, flush and rename.

        Raises:
            UserInputError: If the disk is full and the like.
        """
        with atomic_path(filepath) as path:
            path.write_bytes(obj)


register_backend(_BACKEND, WholeFileBackend, force=True)


class _LaterRemoval:
    """Stand in for a backend, and note what is to be removed."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.noted: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Note the path."""
        self.noted.append(path)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """Write a checkpoint, name it as the last one, then remove older ones.

    mmengine's hook removes first: on a full disk ``max_keep_ckpts=1`` leaves
    none, and half a file lies under the name of a whole one. With this hook
    a run can be resumed whenever it was stopped: a file has its name when all
    of it is on the disk, and ``last_checkpoint`` names a file that is there.
    For a moment there is a checkpoint more than ``max_keep_ckpts`` says; the
    disk must have room for it. Folders that are not local are written as by
    mmengine.

    Args:
        **kwargs: See mmengine's ``CheckpointHook``.
    """

    file_backend: Any
    backend_args: Any
    keep_ckpt_ids: deque[int]

    def before_train(self, runner: Runner) -> None:
        """Choose how files are written; remove what a stop left over."""
        super().before_train(runner)
        local = type(self.file_backend) is LocalBackend
        if local and self.backend_args is self.file_client_args is None:
            self.backend_args = dict(backend=_BACKEND)

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict[str, Any]
    ) -> None:
        """Save, name, remove.

        The checkpoint itself still lists the one that it replaces: a run that
        is stopped before the removal makes up for it when it is resumed.
        """
        # Note it in the message hub, whose state the checkpoint holds
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        kept: list[int] = []
        if self.max_keep_ckpts > 0:
            kept = [k for k in self.keep_ckpt_ids if k != step] + [step]
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        # Write the checkpoint, which appears only whole
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        # Name it as the last one, and only then remove others
        if is_main_process():
            last = Path(runner.work_dir) / 'last_checkpoint'
            with atomic_path(last) as path:
                path.write_text(str(self.last_ckpt))
        self._keep(runner, kept)

    def _keep(self, runner: Runner, kept: list[int]) -> None:
        """Remove all but the last ``max_keep_ckpts``."""
        if not kept:
            return
        # Forget the oldest first, then remove their files
        self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
        runner.message_hub.update_info(
            'keep_ckpt_ids', list(self.keep_ckpt_ids)
        )
        if is_main_process():
            for step in kept[: -self.max_keep_ckpts]:
                path = self.file_backend.join_path(
                    self.out_dir, self.filename_tmpl.format(step)
                )
                _remove(self.file_backend, path)

    def _save_best_checkpoint(
        self, runner: Runner, metrics: dict[str, Any]
    ) -> None:
        """Save as mmengine does, but remove the best one so far last."""
        # Save, with removals only noted
        backend = self.file_backend
        self.file_backend = later = _LaterRemoval(backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            self.file_backend = backend
        # Remove what is not the best of any metric
        several = getattr(self, 'best_ckpt_path_dict', {})
        best = {getattr(self, 'best_ckpt_path', None), *several.values()}
        for path in later.noted:
            if path not in best:
                _remove(backend, path)


def _remove(backend: Any, path: str) -> None:
    """Remove a file, or a folder as DeepSpeed writes, if it is there."""
    if backend.isfile(path):
        backend.remove(path)
    elif backend.isdir(path):
        backend.rmtree(path)
