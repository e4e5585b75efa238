# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page on which photos are tagged and their seeds seen at once."""

from .interface import build_page, launch_page
from .mask_reasons import MaskReason, TagScore, reason_at
from .page_actions import PageActions, PageView
from .tag_texts import parse_tags, safe_photo_name
from .tagging_session import TaggingSession
from .training_folder import TrainingFolder

__all__ = [
    'MaskReason',
    'PageActions',
    'PageView',
    'TagScore',
    'TaggingSession',
    'TrainingFolder',
    'build_page',
    'launch_page',
    'parse_tags',
    'reason_at',
    'safe_photo_name',
]
