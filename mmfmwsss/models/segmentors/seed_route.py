# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A way from a class activation map to a seed."""

from pathlib import Path
from typing import Any, cast

from mmseg.registry import TASK_UTILS
from mmseg.structures import SegDataSample

from ...datasets.transforms import LoadSAMMasks
from ...structures import SAMMasks
from ..seeding import BaseSeeder

__all__ = ['SeedRoute']


class SeedRoute:
    """Which stream's CAM, with or without CAA, through which seeder.

    Args:
        stream (str): Name of a stream of the model.
        seeder (dict): Config of a seeder.
        affinity (bool): Whether CAA refines the CAM. Default: True.
        mask_dir (str, optional): Masks of this route alone, to compare mask
            settings in one run. None: those that the pipeline loads.
    """

    def __init__(
        self,
        stream: str,
        seeder: dict[str, Any],
        affinity: bool = True,
        mask_dir: str | None = None,
    ) -> None:
        self.stream = stream
        self.affinity = affinity
        self.seeder: BaseSeeder = TASK_UTILS.build(seeder)
        self.mask_loader = (
            None
            if mask_dir is None
            else LoadSAMMasks(mask_dir, follow_image=False)
        )

    def masks(self, sample: SegDataSample) -> SAMMasks | None:
        """The masks that the seeder reads, if it needs any."""
        if not self.seeder.needs_masks:
            return None
        if self.mask_loader is None:
            return cast(SAMMasks, sample.sam_masks)
        name = Path(sample.img_path).stem
        return self.mask_loader.read(name, tuple(sample.ori_shape[:2]))
