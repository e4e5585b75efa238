# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAM networks: the official ones, MobileSAM, or a small SAM by its sizes.

All are segment_anything's own classes but for MobileSAM's image encoder.
``SAMEverything`` prompts them.
"""

import os
from collections.abc import Mapping
from functools import partial

from segment_anything import sam_model_registry
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import nn

from ...utils import UserInputError, read_weights, resolve_path
from .sam_weights import OFFICIAL_FILES, check_fit, remedy_for
from .tiny_vit_encoder import (
    TinyViTEncoder,
    convert_mobile_sam,
    is_mobile_sam,
)

__all__ = ['build_mobile_sam', 'build_sam', 'build_small_sam']

TOKEN_SIDE = 16  # pixels of the encoder's input, in the official networks


def build_small_sam(
    *,
    image_size: int,
    patch_size: int,
    encoder_width: int,
    encoder_depth: int,
    encoder_heads: int,
    decoder_width: int,
    decoder_heads: int,
    decoder_mlp: int,
) -> Sam:
    """Build segment_anything's classes at other sizes, random weights.

    Args:
        image_size (int): Side of the square the encoder sees, pixels.
        patch_size (int): Side of a patch, pixels.
        encoder_width (int): Width of the image encoder.
        encoder_depth (int): Blocks of the image encoder, all with global
            attention and relative positions.
        encoder_heads (int): Attention heads of the image encoder.
        decoder_width (int): Width of prompts and mask decoder.
        decoder_heads (int): Attention heads of the mask decoder.
        decoder_mlp (int): Hidden width of the mask decoder's MLP.

    Returns:
        Sam: The network in evaluation mode. It has masks of 4 / patch_size
        of the image's size, on three levels: sub-part, part and whole.
    """
    encoder = ImageEncoderViT(
        img_size=image_size,
        patch_size=patch_size,
        embed_dim=encoder_width,
        depth=encoder_depth,
        num_heads=encoder_heads,
        out_chans=decoder_width,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
    )
    return _with_decoder(
        encoder,
        grid=image_size // patch_size,
        width=decoder_width,
        heads=decoder_heads,
        mlp=decoder_mlp,
    )


def build_mobile_sam(image_size: int = 1024) -> Sam:
    """Build MobileSAM with random weights.

    Args:
        image_size (int): Side of the square the encoder sees, pixels; a
            multiple of 16. The weights do not depend on it.

    Returns:
        Sam: The network in evaluation mode.
    """
    return _with_decoder(
        TinyViTEncoder(image_size),
        grid=image_size // TOKEN_SIDE,
        width=256,
        heads=8,
        mlp=2048,
    )


def _with_decoder(
    encoder: nn.Module, *, grid: int, width: int, heads: int, mlp: int
) -> Sam:
    """Put segment_anything's prompt encoder and mask decoder to an encoder.

    Args:
        encoder (nn.Module): With ``img_size``.
        grid (int): Side of its output, tokens.
        width (int): D, the channels of its output.
        heads (int): Attention heads of the mask decoder.
        mlp (int): Hidden width of the mask decoder's MLP.
    """
    return Sam(
        image_encoder=encoder,
        prompt_encoder=PromptEncoder(
            embed_dim=width,
            image_embedding_size=(grid, grid),
            input_image_size=(encoder.img_size, encoder.img_size),
            mask_in_chans=16,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(
                depth=2,
                embedding_dim=width,
                mlp_dim=mlp,
                num_heads=heads,
            ),
            transformer_dim=width,
            iou_head_depth=3,
            iou_head_hidden_dim=width,
        ),
    ).eval()


def build_sam(
    arch: str | Mapping[str, int],
    checkpoint: str | os.PathLike[str] | None,
) -> Sam:
    """Build a SAM and load its weights, frozen and in evaluation mode.

    Args:
        arch (str | Mapping): ``'vit_b'``, ``'vit_l'``, ``'vit_h'``,
            ``'vit_t'`` (MobileSAM), or the sizes of a small SAM, see
            ``build_small_sam``.
        checkpoint (str | PathLike | None): Weights, ``.pth`` / ``.pt`` in the
            official format or ``.safetensors``; half precision is read as
            single. None leaves the weights random.

    Raises:
        UserInputError: If the architecture is unknown, or the file is
            missing, damaged or not of this architecture.
    """
    if isinstance(arch, str) and arch not in OFFICIAL_FILES:
        raise UserInputError(
            f'`arch` must be one of {", ".join(OFFICIAL_FILES)}, or a dict of '
            f'sizes for build_small_sam, got {arch!r}'
        )
    remedy = remedy_for(arch)
    # The file first: a large network takes seconds to build.
    file = resolve_path(checkpoint, remedy) if checkpoint is not None else None
    state = read_weights(file, 'SAM', remedy=remedy) if file else None
    # Give MobileSAM's weights the names that timm has for them.
    if state is not None and is_mobile_sam(state):
        state = convert_mobile_sam(state)
    sam = _build(arch)
    # Load only what fits in every name and shape.
    if file and state is not None:
        check_fit(sam.state_dict(), state, file, arch)
        sam.load_state_dict(state)
    return sam.eval().requires_grad_(False)


def _build(arch: str | Mapping[str, int]) -> Sam:
    if arch == 'vit_t':
        return build_mobile_sam()
    if isinstance(arch, str):
        sam: Sam = sam_model_registry[arch]()
        return sam
    try:
        return build_small_sam(**arch)
    except TypeError as error:
        raise UserInputError(
            f'The sizes of a small SAM do not fit build_small_sam: {error}'
        ) from error
