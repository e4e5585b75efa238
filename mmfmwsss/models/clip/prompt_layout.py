# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Token ids of prompts with learnable contexts (Eq. 5 to 7)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ...utils import UserInputError
from .tokenizer import get_tokenizer, spoken

__all__ = ['CONTEXT', 'NamePosition', 'prompt_layout', 'tokenize_prompts']

NamePosition = Literal['end', 'front', 'middle']
CONTEXT = -1  # marks a learnable slot among token ids


def prompt_layout(
    name_ids: Sequence[int],
    context_length: int,
    name_position: NamePosition,
    start: int,
    full_stop: int,
    end: int,
) -> list[int]:
    """Lay out the token ids of a prompt, -1 where a context vector goes.

    ============ =======================================
    ``end``      start, contexts, name, full stop, end
    ``front``    start, name, contexts, full stop, end
    ``middle``   start, half, name, half, full stop, end
    ============ =======================================

    Args:
        name_ids (Sequence[int]): Tokens of the class name, none if nameless.
        context_length (int): Number of context vectors, N of the paper.
        name_position (str): Where the name stands, see the table.
        start (int): Id of the start token.
        full_stop (int): Id of ``.``.
        end (int): Id of the end token.

    Returns:
        list[int]: 3 + N + len(name_ids) ids.

    Example:
        >>> prompt_layout([7], 2, 'end', start=1, full_stop=5, end=2)
        [1, -1, -1, 7, 5, 2]
        >>> prompt_layout([7], 2, 'middle', start=1, full_stop=5, end=2)
        [1, -1, 7, -1, 5, 2]
    """
    before = {'end': context_length, 'front': 0, 'middle': context_length // 2}
    slots = [CONTEXT] * context_length
    head, tail = slots[: before[name_position]], slots[before[name_position] :]
    return [start, *head, *name_ids, *tail, full_stop, end]


def tokenize_prompts(
    names: Sequence[str], context_length: int, name_position: NamePosition
) -> tuple[Tensor, Tensor]:
    """List the token ids of prompts, cut at the longest.

    Args:
        names (Sequence[str]): Of G classes; ``''`` for a nameless prompt.
        context_length (int): Number of context vectors, N of the paper.
        name_position (str): Where the name stands.

    Returns:
        tuple[Tensor, Tensor]: Ids, int64, (G, T); places of the end tokens,
        int64, (G,).

    Raises:
        UserInputError: If a prompt has more than CLIP's 77 tokens.
    """
    # Lay out the ids of each prompt
    tokenizer = get_tokenizer()
    (full_stop,) = tokenizer.encode('.')
    layouts = [
        prompt_layout(
            tokenizer.encode(spoken(name)),
            context_length,
            name_position,
            tokenizer.sot_token_id,
            full_stop,
            tokenizer.eot_token_id,
        )
        for name in names
    ]
    # Refuse a prompt that is longer than CLIP reads
    longest = max(map(len, layouts))
    if longest > tokenizer.context_length:
        raise UserInputError(
            f'Expected prompts of at most {tokenizer.context_length} '
            f'tokens, but the longest has {longest}. Lower '
            f'`context_length` or shorten the class names.'
        )
    # Pad to the longest prompt, and note where each ends
    ids = torch.zeros(len(names), longest, dtype=torch.long)
    for row, layout in zip(ids, layouts, strict=True):
        row[: len(layout)] = torch.tensor(layout)
    ends = torch.tensor([len(layout) - 1 for layout in layouts])
    return ids, ends
