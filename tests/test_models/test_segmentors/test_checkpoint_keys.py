# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Keys without the wrapper's prefix."""

from typing import Any

import pytest
import torch
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from torch import nn

from mmfmwsss.models.segmentors.checkpoint_keys import keep_plain_keys


class Wrapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        keep_plain_keys(self, 'inner')


def test_keys_and_versions():
    wrapper = Wrapper()
    state: Any
    for state in (wrapper.state_dict(), get_state_dict(wrapper)):
        plain: Any = wrapper.inner.state_dict()
        assert list(state) == list(plain)
        # BatchNorm looks its version up there
        assert state._metadata['1'] == plain._metadata['1'] == {'version': 2}


def test_versions_reach_the_inner_modules():
    wrapper, seen = Wrapper(), []
    wrapper.inner[1]._register_load_state_dict_pre_hook(
        lambda state, prefix, metadata, *_: seen.append(metadata)
    )
    wrapper.load_state_dict(wrapper.inner.state_dict())
    load_state_dict(wrapper, get_state_dict(wrapper.inner), strict=True)
    assert seen == [{'version': 2}, {'version': 2}]


@pytest.mark.parametrize('prefix', ['', 'inner.'])
def test_loads_with_and_without_prefix(prefix):
    wrapper = Wrapper()
    state = {f'{prefix}{k}': v for k, v in Wrapper().state_dict().items()}
    before = list(state)
    wrapper.load_state_dict(state, strict=True)
    assert torch.equal(wrapper.inner[0].weight, state[f'{prefix}0.weight'])
    assert list(state) == before
