# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Class and background names of VOC and COCO; a test freezes them."""

__all__ = [
    'CLIP_ES_PROMPTS',
    'COCO14',
    'COCO14_BACKGROUND',
    'COCO14_PROMPTS',
    'VOC12',
    'VOC12_BACKGROUND',
]

# fmt: off
VOC12 = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat',
    'chair', 'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person',
    'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor',
)

VOC12_BACKGROUND = (
    'ground', 'land', 'grass', 'tree', 'building', 'wall', 'sky', 'lake',
    'water', 'river', 'sea', 'railway', 'railroad', 'keyboard', 'helmet',
    'cloud', 'house', 'mountain', 'ocean', 'road', 'rock', 'street', 'valley',
    'bridge', 'sign',
)

# As in COCO's instances JSON, in its order.
COCO14 = (
    'person', 'bicycle', 'car', 'motorcycle', 'airplane', 'bus', 'train',
    'truck', 'boat', 'traffic light', 'fire hydrant', 'stop sign',
    'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow',
    'elephant', 'bear', 'zebra', 'giraffe', 'backpack', 'umbrella', 'handbag',
    'tie', 'suitcase', 'frisbee', 'skis', 'snowboard', 'sports ball', 'kite',
    'baseball bat', 'baseball glove', 'skateboard', 'surfboard',
    'tennis racket', 'bottle', 'wine glass', 'cup', 'fork', 'knife', 'spoon',
    'bowl', 'banana', 'apple', 'sandwich', 'orange', 'broccoli', 'carrot',
    'hot dog', 'pizza', 'donut', 'cake', 'chair', 'couch', 'potted plant',
    'bed', 'dining table', 'toilet', 'tv', 'laptop', 'mouse', 'remote',
    'keyboard', 'cell phone', 'microwave', 'oven', 'toaster', 'sink',
    'refrigerator', 'book', 'clock', 'vase', 'scissors', 'teddy bear',
    'hair drier', 'toothbrush',
)
# fmt: on

# Both are classes of COCO, or too close to one.
COCO14_BACKGROUND = tuple(
    name for name in VOC12_BACKGROUND if name not in ('keyboard', 'sign')
)

# Class name -> prompt name, where they differ. Names that CLIP-ES sharpened,
# on VOC and COCO alike:
CLIP_ES_PROMPTS = {
    'bird': 'bird avian',
    'chair': 'chair seat',
    'person': 'person with clothes,people,human',
    'tvmonitor': 'tvmonitor screen',
}
# VOC's spelling of six classes, and the names that CLIP-ES sharpened.
COCO14_PROMPTS = {
    **CLIP_ES_PROMPTS,
    'motorcycle': 'motorbike',
    'airplane': 'aeroplane',
    'couch': 'sofa',
    'potted plant': 'pottedplant',
    'dining table': 'diningtable',
    'tv': 'tvmonitor screen',
    'backpack': 'backpack,bag',
    'umbrella': 'umbrella,parasol',
    'handbag': 'handbag,purse',
    'tie': 'necktie',
    'baseball glove': 'glove',
    'spoon': 'dessertspoon',
    'remote': 'remote control',
    'hair drier': 'hairdrier,blowdrier',
}
