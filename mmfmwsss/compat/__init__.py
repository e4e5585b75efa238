# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Before the pipeline: make the installed OpenMMLab packages usable."""

from .checkpoints import allow_mmengine_checkpoints
from .config_packages import name_own_configs
from .default_scope import set_default_scope
from .distributions import check_distributions
from .import_notes import without_import_notes
from .mmcv_ops import OpsStandIn, install_ops_stand_in

__all__ = [
    'OpsStandIn',
    'allow_mmengine_checkpoints',
    'check_distributions',
    'install_ops_stand_in',
    'name_own_configs',
    'prepare',
    'set_default_scope',
    'without_import_notes',
]


def prepare() -> None:
    """Check the environment and fill its known gaps; call it first.

    Must run before anything imports ``mmseg.models`` or ``mmdet.models``:
    these look for mmcv's ops once, when they are imported. Cheap, and safe to
    call again. Imports neither ``mmseg`` nor ``mmdet``.

    Raises:
        RuntimeError: If two distributions own one package, or one that is
            needed is missing.
    """
    check_distributions()
    install_ops_stand_in()
    allow_mmengine_checkpoints()
    set_default_scope()
    name_own_configs()
