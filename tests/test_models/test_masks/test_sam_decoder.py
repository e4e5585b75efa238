# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Single points: masks in order by hand, and as many points as one wants."""

import torch
from segment_anything.modeling import Sam

from mmfmwsss.models.masks.sam_decoder import (
    PlainDecoder,
    PointMasks,
    embed_points,
)


def embed_image(sam: Sam) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(1, 3, 64, 64, generator=generator)
    embedding: torch.Tensor = sam.image_encoder(image)
    return embedding


def test_batches_join_in_order() -> None:
    batches = [
        PointMasks(
            torch.full((count, 2, 2), float(count)),
            torch.full((count,), 0.1 * count),
            torch.arange(count) % 3,
        )
        for count in (2, 0, 4)
    ]
    joined = PointMasks.cat(batches)
    assert joined.logits[:, 0, 0].tolist() == [2, 2, 4, 4, 4, 4]
    assert joined.levels.tolist() == [0, 1, 0, 1, 2, 0]
    torch.testing.assert_close(
        joined.predicted_iou, torch.tensor([0.2] * 2 + [0.4] * 4)
    )


def test_masks_that_are_kept_by_hand(sam: Sam) -> None:
    decoder = PlainDecoder(sam, embed_image(sam))
    decoded = decoder.decode(torch.tensor([[10.0, 20.0], [50.0, 30.0]]))
    everything = decoded.masks(torch.ones(2, 3).bool())
    assert everything.logits.shape == (6, *decoder.mask_size)
    keep = torch.tensor([[False, True, False], [True, False, True]])
    kept = decoded.masks(keep)
    # Of the first point the part; of the second the sub-part and the whole
    assert kept.levels.tolist() == [1, 0, 2]
    assert torch.equal(kept.logits, everything.logits[[1, 3, 5]])
    assert torch.equal(kept.predicted_iou, decoded.predicted_iou[keep])


def test_a_point_is_decoded_alone_as_among_others(sam: Sam) -> None:
    decoder = PlainDecoder(sam, embed_image(sam))
    points = torch.tensor([[5.0, 5.0], [20.0, 60.0], [33.0, 7.0]])
    together = decoder.decode(points)
    for number, point in enumerate(points):
        alone = decoder.decode(point[None])
        torch.testing.assert_close(
            alone.predicted_iou[0], together.predicted_iou[number]
        )


def test_the_dense_prompt_is_the_same_for_every_point(sam: Sam) -> None:
    sparse, dense = embed_points(sam, torch.tensor([[5.0, 5.0], [60.0, 9.0]]))
    assert sparse.shape[:2] == (2, 2) and not torch.equal(*sparse[:, 0])
    assert torch.equal(sparse[0, 1], sparse[1, 1])  # the padding
    assert torch.equal(dense[0], dense[1])
