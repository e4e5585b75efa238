# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A draw of a sampler: an image, and which of its augmented views."""

from typing import SupportsIndex, overload

import numpy as np

__all__ = ['Draw', 'DrawTable']


class Draw(int):
    """Index of a picture that knows which of its augmented views is meant.

    A plain index to whoever does not care. mmengine's data sets keep it as
    ``sample_idx``, so that it reaches the pipeline and the data sample.
    Wrappers of data sets make their index into that of the data set inside:
    ``RepeatDataset`` by ``%``, ``ConcatDataset`` by ``-``, and
    ``ClassBalancedDataset`` by a table, see :class:`DrawTable`. The result is
    a draw, too, and each of the repeated pictures has its own view.

    Attributes:
        view (int): Number of the view: of the pass over the data, unless the
            sampler has a fixed number of views.
        seed (int): Seed of the run.
        drawn (int): The index that the sampler drew.
    """

    view: int
    seed: int
    drawn: int

    def __new__(
        cls, index: int, view: int = 0, seed: int = 0, drawn: int | None = None
    ) -> 'Draw':
        """Make the index, with what it stands for."""
        draw = super().__new__(cls, index)
        draw.view, draw.seed = view, seed
        draw.drawn = int(index) if drawn is None else drawn
        return draw

    def __mod__(self, length: int) -> 'Draw':
        """Give the index of an image in a data set that is repeated."""
        return self.inside(int(self) % length)

    def __sub__(self, offset: int) -> 'Draw':
        """Give the index of an image in one of several data sets."""
        return self.inside(int(self) - offset)

    def inside(self, index: int) -> 'Draw':
        """Give the draw of an image by its index in a wrapped data set."""
        return Draw(index, self.view, self.seed, self.drawn)

    @property
    def randomness(self) -> int:
        """Seed of the augmentation of this view, below 2**32."""
        state = np.random.SeedSequence((self.seed, self.drawn, self.view))
        return int(state.generate_state(1)[0])


class DrawTable(list[int]):
    """Indices of images in a wrapped data set; for a draw it has draws.

    Example:
        >>> table = DrawTable([4, 4, 7])
        >>> table[1], type(table[1]).__name__, type(table[Draw(1)]).__name__
        (4, 'int', 'Draw')
    """

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> list[int]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> int | list[int]:
        """Look an index up, or several."""
        found = super().__getitem__(index)
        if isinstance(index, Draw) and isinstance(found, int):
            return index.inside(found)
        return found
