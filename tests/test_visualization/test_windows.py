# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A picture is shown where there is somebody to see it."""

import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from PIL import Image

from mmfmwsss.visualization import windows

PICTURE = np.zeros((2, 3, 3), np.uint8)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What would be shown in windows."""
    calls: list[tuple[object, ...]] = []
    window = SimpleNamespace(show=lambda *rest: calls.append(rest))
    monkeypatch.setattr(windows, 'Visualizer', lambda: window)
    return calls


@pytest.mark.parametrize('kernel', [None, object()], ids=['shell', 'kernel'])
def test_a_notebook_shows_it_below_the_cell(
    kernel: object,
    opened: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    below: list[Image.Image] = []
    ipython = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=kernel),
        display=SimpleNamespace(display=below.append),
    )
    monkeypatch.setitem(sys.modules, 'IPython', ipython)
    monkeypatch.setattr(windows, 'get_backend', lambda: 'qtagg')
    windows.show_picture(PICTURE, 'cat', 2)
    if kernel is None:
        assert [call[1:] for call in opened] == [('cat', 2)] and not below
    else:
        assert [picture.size for picture in below] == [(3, 2)] and not opened


def test_without_a_screen_nothing_waits(
    opened: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        windows, 'print_log', lambda message, *_: said.append(message)
    )
    before = matplotlib.get_backend()
    matplotlib.use('agg')
    try:
        windows.show_picture(PICTURE, 'cat')
    finally:
        matplotlib.use(before)
    assert not opened
    assert len(said) == 1 and 'no screen to show cat on' in said[0]
