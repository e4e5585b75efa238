# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A stream: what its losses get, and how long its text features are kept."""

import pytest
import torch
from torch import Tensor

from mmfmwsss.models.clip import FrozenCLIP, PromptStream
from mmfmwsss.models.losses import (
    cam_activation_loss,
    multilabel_contrastive_loss,
)
from mmfmwsss.structures.class_prompts import ClassPrompts
from mmfmwsss.workshop.tiny_models import random_clip

CLASSES = ClassPrompts(('cat', 'dog'), ('cat', 'dog'), ('sky',))


@pytest.fixture(scope='module')
def clip() -> FrozenCLIP:
    return random_clip()


def stream_of(clip: FrozenCLIP, loss: str | None = None) -> PromptStream:
    prompts = dict(type='LearnablePrompts', context_length=2)
    return PromptStream(
        clip, CLASSES, prompts, None if loss is None else dict(type=loss)
    )


def kept_and_fresh(
    stream: PromptStream, clip: FrozenCLIP
) -> tuple[Tensor, Tensor]:
    return stream.frozen_text_features(clip), stream.text_features(clip)


def test_features_are_encoded_once_while_nothing_learns(clip):
    stream = stream_of(clip).eval()
    first = stream.frozen_text_features(clip)
    assert stream.frozen_text_features(clip) is first
    torch.testing.assert_close(*kept_and_fresh(stream, clip))
    assert stream.train().frozen_text_features(clip) is not first


def test_a_checkpoint_read_between_two_predictions_counts(clip):
    stream = stream_of(clip).eval()
    before = stream.frozen_text_features(clip)
    state = {k: v.clone() for k, v in stream.state_dict().items()}
    state['prompts.context'] += 1
    stream.load_state_dict(state)
    kept, fresh = kept_and_fresh(stream, clip)
    torch.testing.assert_close(kept, fresh)
    assert not torch.allclose(kept, before)


def test_features_follow_to_another_type(clip):
    """As to another device."""
    stream = stream_of(clip).eval()
    before = stream.frozen_text_features(clip)
    after = stream.double().float().frozen_text_features(clip)
    assert after is not before
    torch.testing.assert_close(after, before)


def test_losses_are_those_of_the_functions(clip):
    logits = torch.tensor([[1.0, 0.0]])
    labels = torch.tensor([[True, False]])
    losses = stream_of(clip, 'MultiLabelContrastiveLoss').classification_loss(
        logits, labels
    )
    assert losses == {'loss_mcl': multilabel_contrastive_loss(logits, labels)}
    cams, pairs = torch.tensor([[[3.0, 1.0]]]), torch.tensor([[0, 0]])
    seeds = torch.tensor([[[1, 0]]])
    losses = stream_of(clip, 'CAMActivationLoss').cam_loss(cams, pairs, seeds)
    assert losses == {'loss_cal': cam_activation_loss(cams, pairs, seeds)}


def test_without_a_loss_nothing_learns(clip):
    stream = stream_of(clip)
    assert not any(p.requires_grad for p in stream.parameters())
    assert stream.classification_loss(torch.rand(1, 2), torch.ones(1, 2)) == {}
    assert stream.cam_loss(torch.rand(0, 1, 1), None, None) == {}
