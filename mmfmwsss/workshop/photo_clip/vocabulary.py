# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The words that the photo CLIP learns: ImageNet's names and broader ones."""

import re
from dataclasses import dataclass

import open_clip
import torch
from torch import Tensor

__all__ = ['TEMPLATES', 'Vocabulary', 'build_vocabulary']

CLASSES = 1000  # of ImageNet-1K
TEMPLATES = (
    'a photo of a {}.',
    'a {}',
    '{}',
    'a photo of the {}.',
    'a picture of a {}',
    'a clean origami {}.',
)
# Broader words and the classes they cover, in ImageNet's order. Only what the
# classes are an honest part of: there is no person, tree, grass, sky or road
# among them.
_BROADER = {
    'dog': '151-268',
    'cat': '281-285',
    'bird': '7-24 80-100 127-146',
    'sheep': '348-349',
    'cow': '345-347',
    'horse': '339',
    'bear': '294-297',
    'fish': '0-6 389-397',
    'shark': '2-4',
    'snake': '52-68',
    'lizard': '38-48',
    'turtle': '33-37',
    'frog': '30-32',
    'insect': '300-326',
    'butterfly': '321-326',
    'spider': '72-77',
    'crab': '118-121',
    'monkey': '369-382',
    'ape': '365-368',
    'wolf': '269-271',
    'fox': '277-280',
    'pig': '341-343',
    'rabbit': '330-332',
    'elephant': '385-386',
    'antelope': '351-353',
    'whale': '147-148',
    'chicken': '7-8',
    'parrot': '87-90',
    'big cat': '286-293',
    'car': '436 468 511 609 627 656 661 751 817',
    'bus': '654 779 874',
    'truck': '555 569 675 717 864 867',
    'train': '466 547 705 820 829',
    'boat': '472 484 554 576 625 780 814 871 914',
    'ship': '403 510 628 724 913',
    'airplane': '404 895 908',
    'bicycle': '444 671',
    'motorcycle': '665 670',
    'chair': '423 559 765',
    'sofa': '831',
    'table': '532 736',
    'potted plant': '738',
    'screen': '664 782 851',
    'bottle': '440 720 737 898 907',
    'cup': '504 968',
    'phone': '487 528 707',
    'keyboard': '508 810 878',
    'computer': '527 620 681',
    'clock': '409 530 892',
    'hat': '439 452 515 808',
    'helmet': '518 560 715',
    'ball': '429-430 522 574 722 768 805 852 890',
    'shoe': '502 514 630 770 774',
    'clothes': '399 474 501 568 610 614 617 655 735 834 841-842 869',
    'bag': '414 636 728 748',
    'lamp': '619 818 846',
    'bed': '431 516 520 564',
    'cupboard': '493 495 553 648 894',
    'curtain': '794 854 905',
    'tool': '499 587 596 740 784 792',
    'musical instrument': (
        '401-402 420 432 486 513 541 546 558 '
        '566 579 593-594 683 776 875 881 889'
    ),
    'gun': '413 763-764',
    'fruit': '948-957',
    'vegetable': '936-946',
    'food': '924-935 959-965',
    'flower': '985-986',
    'mushroom': '947 992-997',
    'building': '483 497-498 538 624 663 668 698 832 873',
    'house': '425 449 660 853 915',
    'bridge': '821 839 888',
    'fence': '489 716 912',
    'wall': '825',
    'mountain': '970 972 979-980',
    'sea': '973 976-978',
    'water': '974-976 978',
    'field': '958 984',
}


@dataclass(frozen=True)
class Vocabulary:
    """Map names to the classes of the classifier that they cover.

    Attributes:
        names (list[str]): ImageNet's in its order, then broader ones; G of
            them, none twice.
        members (Tensor): 1 where a class is part of a name, (1000, G).
    """

    names: list[str]
    members: Tensor


def build_vocabulary() -> Vocabulary:
    """Read ImageNet's names from open_clip and add the broader ones."""
    # Collect ImageNet's names; some are of several classes
    classes: dict[str, set[int]] = {}
    for number, name in enumerate(open_clip.IMAGENET_CLASSNAMES):
        classes.setdefault(_plain(name), set()).add(number)
    # Add broader names, of many classes each
    for name, ranges in _BROADER.items():
        classes.setdefault(name, set()).update(_numbers(ranges))
    # Mark the classes of each name
    members = torch.zeros(CLASSES, len(classes))
    for column, numbers in enumerate(classes.values()):
        members[sorted(numbers), column] = 1
    return Vocabulary(list(classes), members)


def _numbers(ranges: str) -> set[int]:
    """Read the classes of a text such as '436 468 511-513'."""
    numbers: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition('-')
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def _plain(name: str) -> str:
    """Return a name in lower case, without explanations, first name only."""
    name = re.sub(r' *\(.*?\)', '', name)
    return name.split(' / ')[0].lower()
