# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompts: learnable contexts (Eq. 5 to 7) and manual templates."""

import json
from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn

from ...datasets.class_prompts import ClassPrompts
from ...utils import UserInputError
from .frozen_clip import FrozenCLIP

__all__ = ['LearnablePrompts', 'ManualPrompts', 'prompt_layout']

NamePosition = Literal['end', 'front', 'middle']
_CONTEXT = -1  # marks a learnable slot among token ids
_tokenizer: SimpleTokenizer | None = None


def _get_tokenizer() -> SimpleTokenizer:
    """CLIP's byte-pair encoder, read from disk once."""
    global _tokenizer
    if _tokenizer is None:
        _tokenizer = SimpleTokenizer()
    return _tokenizer


def prompt_layout(
    name_ids: Sequence[int],
    context_length: int,
    name_position: NamePosition,
    start: int,
    full_stop: int,
    end: int,
) -> list[int]:
    """Token ids of one prompt, -1 where a context vector goes.

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
    """
    before = {'end': context_length, 'front': 0, 'middle': context_length // 2}
    slots = [_CONTEXT] * context_length
    head, tail = slots[: before[name_position]], slots[before[name_position] :]
    return [start, *head, *name_ids, *tail, full_stop, end]


@MODELS.register_module()
class LearnablePrompts(BaseModule):
    """One prompt a class, foreground first, with learnable context vectors.

    The classification task uses a unified context with the name at the end
    (Eq. 5); the segmentation task one context a class with the name in front
    (Eq. 6) and backgrounds without a name (Eq. 7).

    Args:
        clip (FrozenCLIP): Gives the token embeddings. Not kept.
        class_prompts (ClassPrompts): Names of foreground and background.
        context_length (int): N of the paper. Default: 16 (section 5.2).
        class_specific (bool): Whether each class has contexts of its own.
        name_position (str): ``'end'``, ``'front'`` or ``'middle'``.
        nameless_background (bool): Whether background prompts have no name.
        init_std (float): Standard deviation of the initial contexts. Default:
            0.02, CoOp's.
        init_seed (int): Seed of the initial contexts.
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
        if name_position not in ('end', 'front', 'middle'):
            raise ValueError(
                f"Expected `name_position` to be 'end', 'front' or 'middle', "
                f'but got {name_position!r}.'
            )
        background = [
            '' if nameless_background else name
            for name in class_prompts.background
        ]
        names = [*class_prompts.foreground, *background]
        ids, ends = self._tokenize(names, context_length, name_position)
        is_context = ids == _CONTEXT
        with torch.no_grad():
            fixed = clip.embed_tokens(ids.clamp(min=0)).float()
        fixed[is_context] = 0
        self.register_buffer('fixed', fixed, persistent=False)  # (G, T, D)
        self.register_buffer('is_context', is_context, persistent=False)
        self.register_buffer('ends', ends, persistent=False)
        generator = torch.Generator().manual_seed(init_seed)
        shape: tuple[int, ...] = (context_length, fixed.shape[-1])
        if class_specific:
            shape = (len(names), *shape)
        self.context = nn.Parameter(
            torch.randn(shape, generator=generator) * init_std
        )
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
        """Ids (G, T) cut at the longest prompt, and positions of the end."""
        tokenizer = _get_tokenizer()
        (full_stop,) = tokenizer.encode('.')
        layouts = [
            prompt_layout(
                tokenizer.encode(name.replace('_', ' ')),
                context_length,
                name_position,
                tokenizer.sot_token_id,
                full_stop,
                tokenizer.eot_token_id,
            )
            for name in names
        ]
        longest = max(map(len, layouts))
        if longest > tokenizer.context_length:
            raise UserInputError(
                f'Expected prompts of at most {tokenizer.context_length} '
                f'tokens, but the longest has {longest}. Lower '
                f'`context_length` or shorten the class names.'
            )
        ids = torch.zeros(len(names), longest, dtype=torch.long)
        for row, layout in zip(ids, layouts, strict=True):
            row[: len(layout)] = torch.tensor(layout)
        ends = torch.tensor([len(layout) - 1 for layout in layouts])
        return ids, ends

    def forward(self, clip: FrozenCLIP) -> Tensor:
        """Text features of all prompts, L2-normalised, (G, E)."""
        context: Tensor = self.context
        if context.ndim == 2:
            context = context.expand(len(self.fixed), -1, -1)
        # Every prompt has the same number of context slots, in order.
        embeddings = self.fixed.masked_scatter(
            self.is_context[..., None], context.to(self.fixed.dtype)
        )
        return clip.encode_prompts(embeddings, self.ends)

    def _check_layout(
        self, state_dict: dict[str, Any], prefix: str, *_: Any
    ) -> None:
        """Refuse prompts that were learnt for other classes or settings."""
        saved = state_dict.get(f'{prefix}layout')
        if saved is None or torch.equal(saved.cpu(), self.layout.cpu()):
            return
        ours, theirs = _read_layout(self.layout), _read_layout(saved)
        differing = [k for k in ours if ours[k] != theirs.get(k)]
        key = differing[0] if differing else 'layout'
        raise UserInputError(
            f'Expected a prompt checkpoint made with the same settings, but '
            f'`{prefix}{key}` differs: the model has {ours.get(key)}, the '
            f'checkpoint {theirs.get(key)}. Use the config the prompts were '
            f'learnt with.'
        )


def _read_layout(layout: Tensor) -> dict[str, Any]:
    return dict(json.loads(bytes(layout.tolist()).decode()))


@MODELS.register_module()
class ManualPrompts(BaseModule):
    """Prompts written by hand, as in CLIP-ES; nothing is learnt.

    Several templates are encoded, normalised, averaged and normalised again.

    Args:
        clip (FrozenCLIP): Accepted for symmetry with LearnablePrompts.
        class_prompts (ClassPrompts): Names of foreground and background.
        templates (Sequence[str]): Each with one ``{}`` for the name. Default:
            CLIP-ES's.
    """

    def __init__(
        self,
        clip: FrozenCLIP,
        class_prompts: ClassPrompts,
        templates: Sequence[str] = ('a clean origami {}.',),
    ) -> None:
        super().__init__()
        del clip
        tokenizer = _get_tokenizer()
        names = [*class_prompts.foreground, *class_prompts.background]
        texts = [t.format(name) for name in names for t in templates]
        ids = tokenizer(texts)
        ends = ids.argmax(dim=1)  # the end token has the largest id
        self.num_templates = len(templates)
        self.register_buffer(
            'ids', ids[:, : int(ends.max()) + 1], persistent=False
        )
        self.register_buffer('ends', ends, persistent=False)

    @torch.no_grad()
    def forward(self, clip: FrozenCLIP) -> Tensor:
        """Text features of all prompts, L2-normalised, (G, E)."""
        features = clip.encode_prompts(clip.embed_tokens(self.ids), self.ends)
        features = features.unflatten(0, (-1, self.num_templates)).mean(dim=1)
        return F.normalize(features, dim=-1)
