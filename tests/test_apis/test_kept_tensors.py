# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What a network keeps for backward, counted by hand."""

from typing import Any

from torch import Tensor, nn

from mmfmwsss.apis.kept_tensors import count_kept_bytes


class Backbone(nn.Module):
    """Keep the input of a convolution, and the output of a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1, bias=False)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return (self.conv(images).relu(),)


class Head(nn.Module):
    """Keep the same ReLU once more, as the input of a convolution."""

    align_corners, num_classes, out_channels = False, 2, 2

    def __init__(self, reads_values: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 2, 1, bias=False)
        self.reads_values = reads_values

    def forward(self, maps: tuple[Tensor]) -> Tensor:
        if self.reads_values:
            maps[0].sum().item()
        logits: Tensor = self.conv(maps[0])
        return logits


def settings(**head: bool) -> dict[str, Any]:
    return dict(
        type='EncoderDecoder',
        backbone=dict(type=Backbone),
        decode_head=dict(type=Head, **head),
    )


def test_two_convolutions_by_hand() -> None:
    # 3 channels of input and 4 after the ReLU, which both layers share;
    # weights of 3 x 4 and 4 x 2; 4 bytes each
    assert count_kept_bytes(settings(), (5, 6)) == (4 * 20, 4 * 7 * 30)


def test_an_image_grows_with_its_area_and_weights_do_not() -> None:
    small = count_kept_bytes(settings(), (8, 8))
    large = count_kept_bytes(settings(), (8, 24))
    assert small is not None and large is not None
    assert large == (small[0], 3 * small[1])


def test_a_network_that_asks_for_values_is_not_counted() -> None:
    assert count_kept_bytes(settings(reads_values=True), (8, 8)) is None
    unknown = dict(type='EncoderDecoder', backbone=dict(type='NoSuchNet'))
    assert count_kept_bytes(unknown, (8, 8)) is None
