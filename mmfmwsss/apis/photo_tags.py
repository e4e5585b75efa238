# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tags of one photo: as they are given, or as a CLIP names what it sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ..utils import UserInputError
from ..utils.limits import MAX_CLASSES

__all__ = [
    'NoClearNameError',
    'PhotoSettings',
    'check_tags',
    'choose_classes',
    'choose_tags',
    'describe_unclear',
]

_LEAST_SCORE = 0.1  # of a name that is taken as a tag
_MOST_TAGS = 3


class NoClearNameError(UserInputError):
    """No name that a CLIP knows fits a photo well enough to be a tag."""


@dataclass(frozen=True)
class PhotoSettings:
    """Say how a CLIP looks at a photo and names what it sees.

    Attributes:
        names (tuple[str, ...]): What the CLIP can name, for photos without
            tags.
        background (tuple[str, ...]): Things that compete with the tags in
            the softmax of Eq. 1; those among the tags are left out.
        templates (tuple[str, ...]): Prompts, each with one ``{}``.
        mean (float | tuple): Subtracted from the colours, RGB, 0 to 255.
        std (float | tuple): Divides the colours afterwards.
        side (int): Long side of the photo for the maps, pixels.
        naming_side (int): Long side of the photo for the ranking, pixels.
        least_score (float): Names below it are not taken as tags.
        most_alike (float): Cosine similarity to the text of a better name
            above which a name is another word for the same thing.
        most_tags (int): Tags that are taken at most.
        use_caa (bool): Whether CAA refines the maps.
        alpha (float): Power of the background's score in SAMS.
        never_tags (tuple[str, ...]): Names that compete with the others, but
            are not given to a photo without tags.
    """

    names: tuple[str, ...]
    background: tuple[str, ...]
    templates: tuple[str, ...] = ('a photo of a {}.',)
    mean: float | tuple[float, float, float] = 127.0
    std: float | tuple[float, float, float] = 128.0
    side: int = 384
    naming_side: int = 256
    least_score: float = _LEAST_SCORE
    most_alike: float = 0.5
    most_tags: int = _MOST_TAGS
    use_caa: bool = True
    alpha: float = 0.6
    never_tags: tuple[str, ...] = ()


def choose_tags(
    scores: Mapping[str, float], text: Tensor, settings: PhotoSettings
) -> tuple[str, ...]:
    """Take the best names, each thing under one of its names.

    Args:
        scores (Mapping[str, float]): Of G names, best first.
        text (Tensor): Their L2-normalised text features, (G, E).
        settings (PhotoSettings): With ``least_score``, ``most_alike`` and
            ``most_tags``.

    Returns:
        tuple[str, ...]: Possibly none.

    Example:
        >>> import torch
        >>> scores = {'cat': 0.5, 'tabby': 0.2, 'sofa': 0.15, 'sea': 0.01}
        >>> text = torch.tensor([[1.0, 0], [0.8, 0.6], [0, 1], [0, -1]])
        >>> choose_tags(scores, text, PhotoSettings(tuple(scores), ()))
        ('cat', 'sofa')
    """
    # Take names one by one, unless a better one means the same.
    similarity = text @ text.T  # (G, G)
    taken: list[int] = []
    for row, score in enumerate(scores.values()):
        alike = bool((similarity[row, taken] > settings.most_alike).any())
        if score >= settings.least_score and not alike:
            taken.append(row)
    names = list(scores)
    return tuple(names[row] for row in taken[: settings.most_tags])


def choose_classes(
    ranking: Mapping[str, float], classes: Sequence[str]
) -> tuple[str, ...]:
    """Take the best classes that score enough, at most three.

    Args:
        ranking (Mapping[str, float]): Score of each name, best first.
        classes (Sequence[str]): The names that are no background.

    Example:
        >>> choose_classes({'sea': 0.6, 'cat': 0.3, 'dog': 0.02}, ['cat'])
        ('cat',)
    """
    best = [
        name
        for name, score in ranking.items()
        if name in classes and score >= _LEAST_SCORE
    ]
    return tuple(best[:_MOST_TAGS])


def describe_unclear(ranking: Mapping[str, float]) -> str:
    """Say that no class of a photo scores enough, and what to do."""
    listed = ', '.join(f'{n} {s:.2f}' for n, s in list(ranking.items())[:3])
    return (
        f'Expected a class with a score of {_LEAST_SCORE} or more, but the '
        f'best are {listed}. Say what the photo shows with `tags`.'
    )


def check_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Strip the spaces around tags, and take each once.

    Raises:
        UserInputError: If they are no list of names, or too many for a seed.
    """
    # Refuse one string, which is no list, and empty names.
    are_names = not isinstance(tags, str) and all(
        isinstance(tag, str) for tag in tags
    )
    words = tuple(dict.fromkeys(' '.join(str(tag).split()) for tag in tags))
    if not are_names or not words or not all(words):
        raise UserInputError(
            "Expected `tags` to be a list of names such as ['cat', 'sofa'], "
            f'but got {tags!r}.'
        )
    if len(words) > MAX_CLASSES:
        raise UserInputError(
            f'Expected at most {MAX_CLASSES} tags, for a seed has 8 bits, but '
            f'got {len(words)}.'
        )
    return words
