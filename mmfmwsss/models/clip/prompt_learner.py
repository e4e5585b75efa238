# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompts with learnable contexts (Eq. 5 to 7)."""

import json
from collections.abc import Sequence
from typing import Any, Literal

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...structures.class_prompts import ClassPrompts
from ...utils import UserInputError
from .frozen_clip import FrozenCLIP
from .text_tower import PrefixCache
from .tokenizer import get_tokenizer, spoken

__all__ = ['LearnablePrompts', 'prompt_layout']

NamePosition = Literal['end', 'front', 'middle']
_CONTEXT = -1  # marks a learnable slot among token ids


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
    slots = [_CONTEXT] * context_length
    head, tail = slots[: before[name_position]], slots[before[name_position] :]
    return [start, *head, *name_ids, *tail, full_stop, end]


@MODELS.register_module()
class LearnablePrompts(BaseModule):
    """Learn the context vectors of one prompt a class, foreground first.

    The classification task uses a unified context with the name at the end
    (Eq. 5); the segmentation task one context a class with the name in front
    (Eq. 6) and backgrounds without a name (Eq. 7).

    Args:
        clip (FrozenCLIP): Gives the token embeddings. Not kept.
        class_prompts (ClassPrompts): Names of foreground and background.
        context_length (int): N of the paper. Default: 16 (section 5.2).
        class_specific (bool): Give each class contexts of its own.
        name_position (str): ``'end'``, ``'front'`` or ``'middle'``.
        nameless_background (bool): Leave the name out of background prompts.
        init_std (float): Standard deviation of the initial contexts. Default:
            0.02, CoOp's.
        init_seed (int): Seed of the initial contexts.

    Raises:
        ValueError: If ``name_position`` or ``context_length`` is none.
        UserInputError: If a prompt has more than CLIP's 77 tokens.
    """

    def __init__(
        self,
        clip: FrozenCLIP,
        class_prompts: ClassPrompts,
        context_length: int = 16,
        class_specific: bool = False,
        name_position: NamePosition = 'end',
        nameless_background: bool = False,
        init_std: float = 0.02,
        init_seed: int = 0,
    ) -> None:
        super().__init__()
        # Refuse settings that make no prompt
        if name_position not in ('end', 'front', 'middle'):
            raise ValueError(
                f"Expected `name_position` to be 'end', 'front' or 'middle', "
                f'but got {name_position!r}.'
            )
        if context_length < 1:
            raise ValueError(
                f'Expected `context_length` >= 1, but got {context_length}. '
                f'Use ManualPrompts to learn nothing.'
            )
        # Lay out the prompts, foreground first (Eq. 5 to 7)
        background = [
            '' if nameless_background else name
            for name in class_prompts.background
        ]
        names = [*class_prompts.foreground, *background]
        ids, ends = self._tokenize(names, context_length, name_position)
        # Embed every token but the contexts
        is_context = ids == _CONTEXT
        with torch.no_grad():
            fixed = clip.embed_tokens(ids.clamp(min=0)).float()
        fixed[is_context] = 0
        self.register_buffer('fixed', fixed, persistent=False)  # (G, T, D)
        self.register_buffer('is_context', is_context, persistent=False)
        self.register_buffer('ends', ends, persistent=False)
        # Count the tokens at the start that are run once
        shared = 0 if class_specific else _common_start(ids)
        self.register_buffer(
            'starts', _start_lengths(is_context, shared), persistent=False
        )
        self._constant_starts: dict[Any, PrefixCache] = {}
        # Draw the contexts, one for all prompts or one for each
        generator = torch.Generator().manual_seed(init_seed)
        shape: tuple[int, ...] = (context_length, fixed.shape[-1])
        if class_specific:
            shape = (len(names), *shape)
        self.context = nn.Parameter(
            torch.randn(shape, generator=generator) * init_std
        )
        # Note the classes and settings, for whoever loads the prompts
        layout = dict(
            names=names,
            context_length=context_length,
            class_specific=class_specific,
            name_position=name_position,
            width=fixed.shape[-1],
        )
        text = json.dumps(layout, sort_keys=True).encode()
        self.register_buffer(
            'layout', torch.tensor(list(text), dtype=torch.uint8)
        )
        self._register_load_state_dict_pre_hook(self._check_layout)

    @staticmethod
    def _tokenize(
        names: Sequence[str], context_length: int, name_position: NamePosition
    ) -> tuple[Tensor, Tensor]:
        """List ids (G, T), cut at the longest prompt, and end positions."""
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

    def forward(self, clip: FrozenCLIP, rows: Tensor | None = None) -> Tensor:
        """Encode the prompts to text features.

        Args:
            clip (FrozenCLIP): The frozen model.
            rows (Tensor, optional): Prompts that are needed, int64, (K,).
                None: all.

        Returns:
            Tensor: L2-normalised, (G, E); 0 for what is not needed.
        """
        everything = rows is None
        if rows is None:
            rows = torch.arange(len(self.ends), device=self.ends.device)
        # Run the start that all prompts share, or take their own
        embeddings = self.embeddings()
        if len(self.starts) == 1:
            starts = clip.encode_prefix(
                embeddings[:1, : int(self.starts)], self.starts
            )
        else:
            starts = self._frozen_starts(clip)[rows]
        # Cut the rest out of each prompt, up to its end token
        lengths = self.starts.expand(len(self.ends))[rows]
        ends = self.ends[rows] - lengths
        steps = torch.arange(int(ends.max()) + 1, device=rows.device)
        # Behind the end a prompt may have no token: whatever is there
        places = (lengths[:, None] + steps).clamp(max=embeddings.shape[1] - 1)
        rest = embeddings[rows[:, None], places]  # (K, T', D)
        # Encode it, and leave 0 where nothing is needed
        features = clip.encode_rest(starts, rest, ends)
        if everything:
            return features
        blank = features.new_zeros(len(self.ends), features.shape[1])
        return blank.index_copy(0, rows, features)

    def embeddings(self) -> Tensor:
        """Put the contexts among the token embeddings, (G, T, D)."""
        context: Tensor = self.context
        if context.ndim == 2:
            context = context.expand(len(self.fixed), -1, -1)
        # Every prompt has the same number of context slots, in order
        return self.fixed.masked_scatter(
            self.is_context[..., None], context.to(self.fixed.dtype)
        )

    @torch.no_grad()
    def _frozen_starts(self, clip: FrozenCLIP) -> PrefixCache:
        """Run what stands before the first context, once: it never changes."""
        key = (self.fixed.device, self.fixed.dtype)
        if key not in self._constant_starts:
            longest = int(self.starts.max())
            with (
                torch.autocast(self.fixed.device.type, enabled=False),
                torch.inference_mode(False),  # training will read it, too
            ):
                self._constant_starts[key] = clip.encode_prefix(
                    self.fixed[:, :longest], self.starts
                )
        return self._constant_starts[key]

    def _check_layout(
        self, state_dict: dict[str, Any], prefix: str, *_: Any
    ) -> None:
        """Refuse prompts that were learnt for other classes or settings."""
        saved = state_dict.get(f'{prefix}layout')
        if saved is None or torch.equal(saved.cpu(), self.layout.cpu()):
            return
        # Name the first setting that differs
        ours, theirs = _read_layout(self.layout), _read_layout(saved)
        differing = [k for k in ours if ours[k] != theirs.get(k)]
        key = differing[0] if differing else 'layout'
        raise UserInputError(
            f'Expected a prompt checkpoint made with the same settings, but '
            f'`{prefix}{key}` differs: the model has {ours.get(key)}, the '
            f'checkpoint {theirs.get(key)}. Use the config the prompts were '
            f'learnt with.'
        )


def _common_start(ids: Tensor) -> int:
    """Count the tokens that all prompts begin with."""
    return int((ids != ids[:1]).any(dim=0).nonzero()[0])


def _start_lengths(is_context: Tensor, shared: int) -> Tensor:
    """Count the tokens that are run before the others, (G,) or, shared, (1,).

    Args:
        is_context (Tensor): True where a token is a context vector, (G, T).
        shared (int): Tokens that all prompts begin with, contexts included.
    """
    # All before the first context; one token at least, the start token
    fixed = is_context.int().argmax(dim=1).clamp(min=1)
    if shared > int(fixed.min()):
        return torch.tensor([shared])
    return fixed


def _read_layout(layout: Tensor) -> dict[str, Any]:
    try:
        return dict(json.loads(bytes(layout.tolist()).decode()))
    except (TypeError, ValueError, RecursionError) as error:
        raise UserInputError(
            f'Expected the classes and settings of prompts in the `layout` of '
            f'a checkpoint, but it cannot be read ({type(error).__name__}). '
            f'The file is damaged: get it again, or learn the prompts again.'
        ) from error
