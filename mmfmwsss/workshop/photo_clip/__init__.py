# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Training of the CLIP for photos, with a classifier as teacher."""

from .batches import Batch, Settings, draw_batches
from .student import Student, build_student
from .teacher import PhotoFeatures, Teacher, find_photos, read_photo
from .trainer import Trainer, train
from .vocabulary import Vocabulary, build_vocabulary

__all__ = [
    'Batch',
    'PhotoFeatures',
    'Settings',
    'Student',
    'Teacher',
    'Trainer',
    'Vocabulary',
    'build_student',
    'build_vocabulary',
    'draw_batches',
    'find_photos',
    'read_photo',
    'train',
]
