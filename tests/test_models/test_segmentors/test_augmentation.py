# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Copies of an image are averaged by hand, and each image is refined once."""

from typing import Any

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.structures import SegDataSample
from torch import Tensor, nn

import mmfmwsss  # noqa: F401  registers the models
from mmfmwsss.models.segmentors.augmentation import RefinedSegTTAModel
from mmfmwsss.utils import UserInputError


class Network(nn.Module):
    """A network of any kind."""

    def test_step(self, data: Any) -> Any:
        return data


class Recorder(Network):
    """Note what is refined."""

    def __init__(self, probabilities: str) -> None:
        super().__init__()
        self.probabilities = probabilities
        self.refined: list[tuple[SegDataSample, Tensor]] = []

    def refine(self, sample: SegDataSample, probabilities: Tensor) -> None:
        self.refined.append((sample, probabilities))


def sample_of(scores: list[float], **meta: Any) -> SegDataSample:
    """An image of one pixel."""
    sample = SegDataSample(metainfo=meta)
    sample.seg_logits = PixelData(data=torch.tensor(scores).view(-1, 1, 1))
    return sample


@pytest.mark.parametrize(
    ('how', 'expected'),
    [
        # 1 to 3 becomes 0.25 and 0.75, 4 to 1 becomes 0.8 and 0.2
        ('sum', [0.525, 0.475]),
        # log 1 and log 3 are logits of the same, log 4 and log 1 likewise
        ('softmax', [0.525, 0.475]),
    ],
)
def test_mean_of_probabilities_by_hand(
    how: str, expected: list[float]
) -> None:
    numbers = torch.tensor([[1.0, 3.0], [4.0, 1.0]])
    if how == 'softmax':
        numbers = numbers.log()
    recorder = Recorder(how)
    copies = [sample_of(scores) for scores in numbers.tolist()]
    merged = RefinedSegTTAModel(module=recorder).merge_preds([copies])
    assert len(merged) == 1 and merged[0] is copies[0]
    ((sample, mean),) = recorder.refined
    assert sample is copies[0]
    torch.testing.assert_close(mean.flatten(), torch.tensor(expected))


def test_order_of_copies_does_not_matter_and_failures_pass() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 4, generator=generator).tolist()
    means = []
    for turn in (slice(None), slice(None, None, -1)):
        recorder = Recorder('softmax')
        batch = [[sample_of(s) for s in copies[turn]] for copies in images]
        lost = [SegDataSample(metainfo=dict(failure='cut off'))] * 3
        merged = RefinedSegTTAModel(module=recorder).merge_preds(
            [batch[0], lost, batch[1]]
        )
        assert [one is lost[0] for one in merged] == [False, True, False]
        means.append(torch.stack([mean for _, mean in recorder.refined]))
    torch.testing.assert_close(*means)


def test_other_models_are_refused() -> None:
    model = RefinedSegTTAModel(module=Network())
    with pytest.raises(UserInputError, match='got Network'):
        model.test_step(dict(inputs=[]))
    # mmseg's own way of merging is left alone around other networks
    assert SegTTAModel(module=Network())
