# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A way from a class activation map to a seed."""

from typing import Any

from mmseg.registry import TASK_UTILS

from ..seeding import BaseSeeder

__all__ = ['SeedRoute']


class SeedRoute:
    """Which stream's CAM, with or without CAA, through which seeder.

    Args:
        stream (str): Name of a stream of the model.
        seeder (dict): Config of a seeder.
        affinity (bool): Whether CAA refines the CAM. Default: True.
    """

    def __init__(
        self, stream: str, seeder: dict[str, Any], affinity: bool = True
    ) -> None:
        self.stream = stream
        self.affinity = affinity
        self.seeder: BaseSeeder = TASK_UTILS.build(seeder)
