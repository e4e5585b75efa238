# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""From image-level labels to a segmentation network, inside mmseg.

The method is `Foundation Model Assisted Weakly Supervised Semantic
Segmentation <https://arxiv.org/abs/2312.03585>`_. In the order of the data:

=======================  ===================================================
image and labels         ``datasets/image_label_dataset.py``,
                         ``datasets/transforms/``
SAM's masks, made once   ``models/masks/`` into ``structures/sam_masks.py``
frozen CLIP, prompts     ``models/clip/`` (Eq. 5 to 7)
Softmax-GradCAM          ``models/cams/softmax_gradcam.py`` (Eq. 1 to 3)
CAA                      ``models/cams/caa.py`` (Eq. 4)
SAMS, other seeders      ``models/seeding/`` (Eq. 8 to 10)
L_MCL, L_CAL             ``models/losses/`` (Eq. 12 to 15)
all of it, Figure 2      ``models/segmentors/clip_prompt_segmentor.py``
seeds as pseudo labels   ``datasets/pseudo_label_dataset.py``
SAMS on a network        ``models/segmentors/refined_segmentor.py``
scores                   ``evaluation/metrics/``
=======================  ===================================================

Letters in shapes: N images, P pairs of an image and one of its classes, C
classes, S masks, H W pixels, h w tokens of an image (patches of CLIP, cells of
SAM), D channels of a token. A letter that stands for something else says so
where it is used.

Importing the package registers its modules in mmseg's registries. It comes
before ``import mmseg.models``, since it readies mmcv (see ``compat``).
"""

from .compat import prepare, without_import_notes
from .version import __version__

prepare()

with without_import_notes():  # mmcv is ready now
    from . import datasets, engine, evaluation, models

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
