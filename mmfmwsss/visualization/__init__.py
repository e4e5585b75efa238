# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Pictures of masks, maps and seeds."""

from .sheet import overlay_cam, paint_labels, paint_masks, picture_sheet

__all__ = ['overlay_cam', 'paint_labels', 'paint_masks', 'picture_sheet']
