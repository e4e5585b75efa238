# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Show a picture to whoever runs the code: in a notebook, or in a window."""

import logging
import sys
from typing import Any

from matplotlib import get_backend
from mmengine.logging import print_log
from mmengine.visualization import Visualizer
from numpy.typing import NDArray
from PIL import Image

__all__ = ['show_picture']

_NO_WINDOW = 'agg'  # matplotlib's choice where there is no screen


def show_picture(
    picture: NDArray[Any], name: str, wait_time: float = 0
) -> None:
    """Show a picture below the cell of a notebook, or in a window.

    Without a screen it is said that there is none, and nothing waits for a
    key.

    Args:
        picture (ndarray): RGB, uint8, (H, W, 3).
        name (str): Title of the window.
        wait_time (float): Seconds until the window closes. 0: on a key.
    """
    # Show it below the cell, where IPython runs as a notebook's kernel
    ipython = sys.modules.get('IPython')
    shell = None if ipython is None else ipython.get_ipython()
    if ipython is not None and getattr(shell, 'kernel', None) is not None:
        ipython.display.display(Image.fromarray(picture))
        return
    if get_backend().lower() == _NO_WINDOW:
        print_log(
            f'There is no screen to show {name} on. Write it with `out_dir`.',
            'current',
            logging.WARNING,
        )
        return
    Visualizer().show(picture, name, wait_time)
