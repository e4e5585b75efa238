# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A model is found in any nesting of wrappers."""

import pytest
from mmengine.model import BaseTTAModel
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from mmfmwsss.utils.model_wrappers import unwrap_model


class Around(nn.Module):
    """A wrapper, as DistributedDataParallel is one."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


class Augmented(BaseTTAModel):
    """Test-time augmentation that merges nothing."""

    def __init__(self, module: nn.Module) -> None:
        nn.Module.__init__(self)
        self.module = module

    def merge_preds(self, data_samples_list: list) -> list:
        return data_samples_list


@pytest.fixture(autouse=True)
def _registered():
    MODEL_WRAPPERS.register_module(module=Around, name='AroundOfTest')
    yield
    del MODEL_WRAPPERS.module_dict['AroundOfTest']


@pytest.mark.parametrize(
    'wrappers', [(), (Around,), (Augmented,), (Around, Augmented, Around)]
)
def test_unwrap_model(wrappers: tuple) -> None:
    inner = wrapped = nn.Sequential(nn.Linear(1, 1))
    for wrapper in wrappers:
        wrapped = wrapper(wrapped)
    assert unwrap_model(wrapped) is inner


def test_any_module_attribute_is_no_wrapper() -> None:
    model = nn.Module()
    model.module = nn.Linear(1, 1)
    assert unwrap_model(model) is model
