# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The bar counts iterations and closes."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from mmengine.runner import Runner

from mmfmwsss.engine import ProgressBarHook


def test_it_counts(capsys: pytest.CaptureFixture[str]) -> None:
    runner: Any = SimpleNamespace(max_iters=3, iter=1, test_dataloader=[0, 1])
    runner = cast(Runner, runner)
    hook = ProgressBarHook(file_interval=0.0)
    hook.before_train(runner)
    for _ in range(2):
        hook.after_train_iter(runner)
    hook.after_train(runner)
    assert '3/3' in capsys.readouterr().err  # it resumed at 1
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner)
    hook.after_test_epoch(runner)
    assert '1/2' in capsys.readouterr().err
    hook.after_test_iter(runner)  # closed: nothing happens
