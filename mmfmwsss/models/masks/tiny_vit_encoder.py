# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""MobileSAM's image encoder: timm's TinyViT with the neck of SAM.

`MobileSAM <https://arxiv.org/abs/2306.14289>`_ has SAM's prompt encoder and
mask decoder; only the image encoder is another. timm, whose TinyViT this is,
comes with open_clip_torch.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn

__all__ = ['TinyViTEncoder', 'convert_mobile_sam', 'is_mobile_sam']

PREFIX = 'image_encoder.'
CLASSIFIER = (f'{PREFIX}norm_head.', f'{PREFIX}head.')  # of no use to SAM
# MobileSAM's names -> timm's, in this order. Its stages end with the
# downsampling that timm's begin with.
_RENAMED = (
    (re.compile(r'\.c\.'), lambda _: '.conv.'),
    (re.compile(r'\bpatch_embed\.seq\.0\.'), lambda _: 'patch_embed.conv1.'),
    (re.compile(r'\bpatch_embed\.seq\.2\.'), lambda _: 'patch_embed.conv2.'),
    (
        re.compile(r'\blayers\.(\d+)\.downsample\.'),
        lambda match: f'stages.{int(match[1]) + 1}.downsample.',
    ),
    (re.compile(r'\blayers\.'), lambda _: 'stages.'),
)


class TinyViTEncoder(nn.Module):
    """Encode an image for SAM's prompts; the defaults are MobileSAM's.

    Args:
        image_size (int): Side of the square that SAM feeds it, pixels. The
            weights do not depend on it.
        widths (Sequence[int]): Channels of the four stages.
        depths (Sequence[int]): Their blocks.
        heads (Sequence[int]): Their attention heads; the first stage, of
            convolutions, has none.
        windows (Sequence[int]): Sides of their attention windows, tokens.
        out_channels (int): D, the width of SAM's prompts.
    """

    def __init__(
        self,
        image_size: int = 1024,
        widths: Sequence[int] = (64, 128, 160, 320),
        depths: Sequence[int] = (2, 2, 6, 2),
        heads: Sequence[int] = (2, 4, 5, 10),
        windows: Sequence[int] = (7, 7, 14, 7),
        out_channels: int = 256,
    ) -> None:
        super().__init__()
        # timm imports all its models, which takes seconds.
        from timm.models.tiny_vit import TinyVit

        # Build the trunk without its classifier.
        trunk: Any = TinyVit(
            num_classes=0,
            embed_dims=tuple(widths),
            depths=tuple(depths),
            num_heads=tuple(heads),
            window_sizes=tuple(windows),
            drop_path_rate=0.0,
        )
        # TinyViT's last stage has stride 32, that of MobileSAM 16 as SAM's.
        trunk.stages[-1].downsample.conv2.conv.stride = (1, 1)
        self.img_size = image_size  # segment_anything asks for this name
        self.patch_embed = trunk.patch_embed
        self.stages = trunk.stages
        # Bring the last stage to the width of SAM's prompts.
        self.neck = nn.Sequential(
            nn.Conv2d(widths[-1], out_channels, 1, bias=False),
            LayerNorm2d(out_channels),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            LayerNorm2d(out_channels),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Encode normalised and padded images.

        Args:
            image (Tensor): (N, 3, S, S).

        Returns:
            Tensor: (N, D, S / 16, S / 16).
        """
        embedding: Tensor = self.neck(self.stages(self.patch_embed(image)))
        return embedding


def is_mobile_sam(state: Mapping[str, Tensor]) -> bool:
    """Tell whether weights have the names of MobileSAM's official file."""
    return f'{PREFIX}patch_embed.seq.0.c.weight' in state


def convert_mobile_sam(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename MobileSAM's weights to those of a SAM with this encoder.

    Args:
        state (Mapping): Of the official file.

    Returns:
        dict: The same tensors, without TinyViT's classifier.
    """
    return {
        _rename(name) if name.startswith(PREFIX) else name: value
        for name, value in state.items()
        if not name.startswith(CLASSIFIER)
    }


def _rename(name: str) -> str:
    for pattern, renamed in _RENAMED:
        name = pattern.sub(renamed, name)
    return name
