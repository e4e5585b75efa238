# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompts written by hand, the baseline without learning."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from ...structures.class_prompts import ClassPrompts
from ...utils import UserInputError
from .frozen_clip import FrozenCLIP
from .tokenizer import get_tokenizer, spoken

__all__ = ['ManualPrompts', 'encode_names']


@MODELS.register_module()
class ManualPrompts(BaseModule):
    """Encode prompts written by hand, as in CLIP-ES; nothing is learnt.

    Several templates are encoded, normalised, averaged and normalised again.

    Args:
        clip (FrozenCLIP): Gives the token embeddings. Not kept.
        class_prompts (ClassPrompts): Names of foreground and background.
        templates (Sequence[str]): Each with one ``{}`` for the name. Default:
            CLIP-ES's.

    Raises:
        UserInputError: If there is no template, one has no place for the
            name, or a text has more than CLIP's 77 tokens.
    """

    def __init__(
        self,
        clip: FrozenCLIP,
        class_prompts: ClassPrompts,
        templates: Sequence[str] = ('a clean origami {}.',),
    ) -> None:
        super().__init__()
        # Look up the token embeddings, cut at the longest prompt
        names = [*class_prompts.foreground, *class_prompts.background]
        ids = _tokenise(names, templates)
        ends = ids.argmax(dim=1)  # the end token has the largest id
        with torch.no_grad():
            embeddings = clip.embed_tokens(ids[:, : int(ends.max()) + 1])
        # Keep them out of checkpoints: nothing is learnt
        self.num_templates = len(templates)
        self.register_buffer('embeddings', embeddings, persistent=False)
        self.register_buffer('ends', ends, persistent=False)

    @torch.no_grad()
    def forward(self, clip: FrozenCLIP) -> Tensor:
        """Encode all prompts to text features, L2-normalised, (G, E)."""
        return _encode(clip, self.embeddings, self.ends, self.num_templates)


@torch.no_grad()
def encode_names(
    clip: FrozenCLIP, names: Sequence[str], templates: Sequence[str]
) -> Tensor:
    """Encode any number of names as :class:`ManualPrompts` does.

    Args:
        clip (FrozenCLIP): The frozen model.
        names (Sequence[str]): G names.
        templates (Sequence[str]): Each with one ``{}`` for the name.

    Returns:
        Tensor: Text features, L2-normalised, (G, E).

    Raises:
        UserInputError: As :class:`ManualPrompts`.
    """
    ids = _tokenise(names, templates).to(clip.scale.device)
    ends = ids.argmax(dim=1)
    embeddings = clip.embed_tokens(ids[:, : int(ends.max()) + 1])
    return _encode(clip, embeddings, ends, len(templates))


def _encode(
    clip: FrozenCLIP, embeddings: Tensor, ends: Tensor, templates: int
) -> Tensor:
    """Average over the templates, normalise before and after, (G, E)."""
    features = clip.encode_prompts(embeddings, ends)
    features = features.unflatten(0, (-1, templates)).mean(dim=1)
    return F.normalize(features, dim=-1)


def _tokenise(names: Sequence[str], templates: Sequence[str]) -> Tensor:
    """Tokenise all names in all templates, int64, (texts, 77)."""
    tokenizer = get_tokenizer()
    texts = _fill(templates, names)
    # Refuse a prompt that is longer than CLIP reads
    longest = max(texts, key=lambda text: len(tokenizer.encode(text)))
    count = len(tokenizer.encode(longest)) + 2  # start and end
    if count > tokenizer.context_length:  # it would be cut off silently
        raise UserInputError(
            f'Expected prompts of at most {tokenizer.context_length} '
            f'tokens, but {longest!r} has {count}. Shorten the template '
            f'or the class name.'
        )
    return tokenizer(texts)


def _fill(templates: Sequence[str], names: Sequence[str]) -> list[str]:
    """Fill the templates with all names, templates fastest."""
    if not templates or isinstance(templates, str):
        raise UserInputError(
            f"Expected `templates` to be a list such as ['a photo of a {{}}.']"
            f', but got {templates!r}.'
        )
    # Refuse a template without one place for the name
    for template in templates:
        if template.count('{}') != 1:
            raise UserInputError(
                f'Expected one `{{}}` for the name in every template, but got '
                f'{template!r}.'
            )
    return [
        template.replace('{}', spoken(name))
        for name in names
        for template in templates
    ]
