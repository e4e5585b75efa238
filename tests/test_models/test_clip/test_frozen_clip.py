# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The frozen CLIP against open_clip's own forward passes."""

import open_clip
import pytest
import torch
import torch.nn.functional as F

from mmfmwsss.models.clip import FrozenCLIP
from mmfmwsss.models.clip.frozen_clip import resize_position
from mmfmwsss.workshop.tiny_models import (
    embed_image,
    random_clip,
    random_clip_arch,
)


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def test_embedding_is_the_mean_of_open_clips_patch_tokens(
    clip: FrozenCLIP,
) -> None:
    images = torch.randn(2, 3, 32, 32)
    features = clip.encode_trunk(images)
    embedding = embed_image(clip, features.tokens, features.residual)
    visual = clip.model.visual
    x = visual.ln_post(visual.transformer(visual._embeds(images)))
    expected = x[:, 1:].mean(dim=1) @ visual.proj
    torch.testing.assert_close(embedding, expected, rtol=1e-4, atol=1e-5)


def test_average_pooled_models_give_their_own_embedding() -> None:
    arch = random_clip_arch()
    arch['vision_cfg']['pool_type'] = 'avg'
    clip = FrozenCLIP(arch)
    images = torch.randn(2, 3, 32, 32)
    features = clip.encode_trunk(images)
    embedding = embed_image(clip, features.tokens, features.residual)
    torch.testing.assert_close(
        embedding, clip.model.encode_image(images), rtol=1e-4, atol=1e-5
    )


def test_affinity_is_the_attention_of_the_last_blocks(
    clip: FrozenCLIP,
) -> None:
    images = torch.randn(1, 3, 32, 32)
    features = clip.encode_trunk(images)
    visual = clip.model.visual
    x = visual._embeds(images)
    maps = []
    for block in visual.transformer.resblocks:
        normalised = block.ln_1(x)
        _, weights = block.attn(
            normalised, normalised, normalised, need_weights=True
        )
        maps.append(weights)  # averaged over heads by PyTorch
        x = block(x)
    expected = torch.stack(maps[-2:]).mean(0)[:, 1:, 1:]
    torch.testing.assert_close(
        features.attention, expected, rtol=1e-4, atol=1e-6
    )


def test_eight_blocks_are_averaged_as_in_clip_es() -> None:
    images = torch.randn(1, 3, 16, 16)
    arch = random_clip_arch(layers=10)
    torch.manual_seed(0)
    plain = FrozenCLIP(arch)
    given = FrozenCLIP(arch, attention_layers=8)
    given.load_state_dict(plain.state_dict())
    seven = FrozenCLIP(arch, attention_layers=7)
    seven.load_state_dict(plain.state_dict())
    attention = plain.encode_trunk(images).attention
    assert torch.equal(attention, given.encode_trunk(images).attention)
    assert not torch.equal(attention, seven.encode_trunk(images).attention)


def test_any_multiple_of_the_patch(clip: FrozenCLIP) -> None:
    features = clip.encode_trunk(torch.randn(1, 3, 24, 40))
    assert features.grid == (3, 5)
    assert features.tokens.shape == (1, 16, 32)
    assert features.attention.shape == (1, 15, 15)
    with pytest.raises(ValueError, match='multiples of 8, but got 24 x 41'):
        clip.encode_trunk(torch.randn(1, 3, 24, 41))


def test_resize_position_by_hand() -> None:
    position = torch.tensor([[9.0], [0.0], [4.0]])  # class, then 1 x 2
    resized = resize_position(position, (1, 2), (1, 4))
    assert resized[:, 0].tolist() == [9.0, 0.0, 1.0, 3.0, 4.0]
    assert resize_position(position, (1, 2), (1, 2)) is position


def test_resize_position_pixel_by_pixel() -> None:
    """Bilinear between the centres of the patches, edges repeated."""
    source, target = (3, 4), (5, 7)
    position = torch.randn(1 + 12, 6, generator=torch.Generator())
    old = position[1:].view(*source, 6)
    new = resize_position(position, source, target)
    assert torch.equal(new[0], position[0])

    def neighbours(i: int, axis: int) -> tuple[int, int, float]:
        place = (i + 0.5) * source[axis] / target[axis] - 0.5
        place = min(max(place, 0.0), source[axis] - 1.0)
        return int(place), min(int(place) + 1, source[axis] - 1), place % 1

    for i in range(target[0]):
        y0, y1, dy = neighbours(i, 0)
        for j in range(target[1]):
            x0, x1, dx = neighbours(j, 1)
            upper = (1 - dx) * old[y0, x0] + dx * old[y0, x1]
            lower = (1 - dx) * old[y1, x0] + dx * old[y1, x1]
            expected = (1 - dy) * upper + dy * lower
            torch.testing.assert_close(new[1 + 7 * i + j], expected)


def test_prompts_cut_at_the_longest_equal_encode_text(
    clip: FrozenCLIP,
) -> None:
    ids = open_clip.get_tokenizer('ViT-B-16')(
        ['a photo of a cat.', 'person with clothes,people,human']
    )
    ends = ids.argmax(dim=1)
    short = ids[:, : int(ends.max()) + 1]
    ours = clip.encode_prompts(clip.embed_tokens(short), ends)
    theirs = F.normalize(clip.model.encode_text(ids), dim=1)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_it_stays_frozen(clip: FrozenCLIP) -> None:
    clip.train()
    assert not any(m.training for m in clip.modules())
    assert not any(p.requires_grad for p in clip.parameters())
