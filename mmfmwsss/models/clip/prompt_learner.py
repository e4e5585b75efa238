# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Prompts with learnable contexts (Eq. 5 to 7)."""

import json
from typing import Any

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from ...structures.class_prompts import ClassPrompts
from ...utils import UserInputError
from .frozen_clip import FrozenCLIP
from .prompt_layout import CONTEXT, NamePosition, tokenize_prompts
from .text_tower import PrefixCache
from .tokenizer import get_tokenizer

__all__ = ['LearnablePrompts']


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
        init_text (str, optional): Words whose embeddings the contexts are at
            first instead, as ``CTX_INIT`` of CoOp: with ``'a photo of a'``
            and the name at the end, training sets out from that prompt.
            Contexts of nameless backgrounds are drawn all the same, for the
            same words would make them one.

    Raises:
        ValueError: If ``name_position`` or ``context_length`` is none.
        UserInputError: If a prompt has more than CLIP's 77 tokens, or
            ``init_text`` another number of tokens than ``context_length``.
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
        init_text: str | None = None,
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
        ids, ends = tokenize_prompts(names, context_length, name_position)
        # Embed every token but the contexts
        is_context = ids == CONTEXT
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
        # Note lengths as numbers, for which no device is waited
        self._longest_start = int(self.starts.max())
        self._longest_rest = int((ends - self.starts).max()) + 1
        # Draw the contexts, one for all prompts or one for each
        generator = torch.Generator().manual_seed(init_seed)
        shape: tuple[int, ...] = (context_length, fixed.shape[-1])
        if class_specific:
            shape = (len(names), *shape)
        context = torch.randn(shape, generator=generator) * init_std
        # Or take those of words
        if init_text is not None:
            words = _embed_words(clip, init_text, context_length)
            if class_specific and nameless_background:
                context[: len(class_prompts.foreground)] = words
            else:
                context = words.expand(shape).clone()
        self.context = nn.Parameter(context)
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
                embeddings[:1, : self._longest_start], self.starts
            )
        else:
            starts = self._frozen_starts(clip)[rows]
        # Cut the rest out of each prompt, up to its end token
        lengths = self.starts.expand(len(self.ends))[rows]
        ends = self.ends[rows] - lengths
        # On a CPU only as far as these prompts go; elsewhere that would wait
        on_cpu = rows.device.type == 'cpu'
        longest = int(ends.max()) + 1 if on_cpu else self._longest_rest
        steps = torch.arange(longest, device=rows.device)
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
            with (
                torch.autocast(self.fixed.device.type, enabled=False),
                torch.inference_mode(False),  # training will read it, too
            ):
                self._constant_starts[key] = clip.encode_prefix(
                    self.fixed[:, : self._longest_start], self.starts
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


@torch.no_grad()
def _embed_words(clip: FrozenCLIP, text: str, count: int) -> Tensor:
    """Embed words whose tokens are as many as there are contexts, (N, D)."""
    ids = get_tokenizer().encode(text)
    if len(ids) != count:
        raise UserInputError(
            f'Expected `context_length` to be the number of tokens of '
            f'`init_text`, but got {count} and {text!r}, which has '
            f'{len(ids)}. Set context_length={len(ids)}.'
        )
    return clip.embed_tokens(torch.tensor([ids]))[0].float()


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
