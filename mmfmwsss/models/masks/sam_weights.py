# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check a file of SAM weights against the network it is for."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...utils import UserInputError

__all__ = ['OFFICIAL_FILES', 'check_fit', 'remedy_for']

OFFICIAL_FILES = dict(
    vit_b='sam_vit_b_01ec64.pth',
    vit_l='sam_vit_l_0b3195.pth',
    vit_h='sam_vit_h_4b8939.pth',
    vit_t='mobile_sam.pt',
)
OFFICIAL_WIDTHS = {768: 'vit_b', 1024: 'vit_l', 1280: 'vit_h'}
POSITION_KEY = 'image_encoder.pos_embed'  # (1, h, w, encoder width)
TINY_VIT_KEY = 'image_encoder.patch_embed.conv1.conv.weight'


def check_fit(
    expected: dict[str, Tensor],
    state: dict[str, Tensor],
    file: Path,
    arch: str | Mapping[str, int],
) -> None:
    """Compare weights with those a network has.

    Args:
        expected (dict): The network's own.
        state (dict): Those read from ``file``.
        file (Path): For the message.
        arch (str | Mapping): What the network is.

    Raises:
        UserInputError: If names or shapes differ.
    """
    # Compare names first, then the shapes of common names.
    missing = sorted(expected.keys() - state.keys())
    unknown = sorted(state.keys() - expected.keys())
    reshaped = [
        name
        for name in expected.keys() & state.keys()
        if expected[name].shape != state[name].shape
    ]
    if missing or unknown or reshaped:
        wanted = arch if isinstance(arch, str) else 'the small SAM'
        raise UserInputError(
            f'Expected the weights of {wanted} in {file}, found '
            f'{_describe(state)}: {len(missing)} of {len(expected)} entries '
            f'are missing{_example(missing)}, {len(unknown)} are unknown'
            f'{_example(unknown)}, {len(reshaped)} have another shape'
            f'{_example(sorted(reshaped))}. {remedy_for(arch)}'
        )


def remedy_for(arch: str | Mapping[str, int]) -> str:
    """Tell where the right weights come from."""
    if isinstance(arch, str):
        name = 'mobile_sam' if arch == 'vit_t' else f'sam_{arch}'
        return (
            f'Get the official {OFFICIAL_FILES[arch]} with `python '
            f'tools/get_weights.py {name}` and give its path as `checkpoint`; '
            'with the configs of this project: `export SAM_VIT_H=PATH`.'
        )
    return (
        'Give a file made with the same sizes; '
        "'mmfmwsss://tiny_sam.safetensors' comes with the package and is "
        'trained by tools/partworld/train_sam.py.'
    )


def _describe(state: dict[str, Tensor]) -> str:
    # Tell the networks apart by names, then by the encoder's width.
    if TINY_VIT_KEY in state:
        return 'those of vit_t (MobileSAM)'
    if POSITION_KEY not in state:
        return f'{len(state)} weights that are not a SAM'
    width = state[POSITION_KEY].shape[-1]
    if width in OFFICIAL_WIDTHS:
        return f'those of {OFFICIAL_WIDTHS[width]}'
    return f'a SAM of encoder width {width}'


def _example(names: list[str]) -> str:
    return f' (e.g. {names[0]})' if names else ''
