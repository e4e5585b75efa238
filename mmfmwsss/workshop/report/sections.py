# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Define the parts of a page: prose, tables, curves, sheets of images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    'Cell',
    'Chart',
    'Curve',
    'ImageCard',
    'ImageSheet',
    'LearningCurves',
    'LegendEntry',
    'Picture',
    'Prose',
    'Section',
    'Table',
]


@dataclass(frozen=True)
class Prose:
    """Paragraphs, then a list.

    Attributes:
        title: Heading, also the name in the page's menu.
        paragraphs: Plain text.
        items: Plain text, with a bullet each.
    """

    title: str
    paragraphs: Sequence[str] = ()
    items: Sequence[str] = ()
    kind: ClassVar[str] = 'prose'


@dataclass(frozen=True)
class Cell:
    """One cell of a table; a plain string does where text is all there is.

    Attributes:
        text: What is read.
        value: What the column is sorted by; cells with one are aligned to the
            right.
        bar: Length of a bar behind the text, 0 to 1.
        highlight: Whether it stands out, e.g. the best of its row.
        note: Longer text that shows when the mouse is over the cell.
    """

    text: str
    value: float | None = None
    bar: float | None = None
    highlight: bool = False
    note: str = ''


@dataclass(frozen=True)
class Table:
    """A table whose columns sort at a click.

    Attributes:
        title: Heading.
        columns: Heading of each column.
        rows: Cells or strings, one a column.
        caption: What the numbers are: split, protocol, units.

    Raises:
        ValueError: If a row has not one cell for each column.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    caption: str = ''
    kind: ClassVar[str] = 'table'

    def __post_init__(self) -> None:
        """Check the rows."""
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f'row {number} of table {self.title!r} must have '
                    f'{len(self.columns)} cells, got {len(row)}'
                )

    @property
    def cells(self) -> list[list[Cell]]:
        """Return the rows with every string made a cell."""
        return [
            [c if isinstance(c, Cell) else Cell(c) for c in row]
            for row in self.rows
        ]

    @property
    def numeric(self) -> list[bool]:
        """Tell which columns have numbers."""
        columns = zip(*self.cells, strict=True)
        numeric = [any(c.value is not None for c in col) for col in columns]
        return numeric or [False] * len(self.columns)


@dataclass(frozen=True)
class Curve:
    """One line of a chart.

    Attributes:
        name: In the legend.
        steps: Iterations.
        values: One a step; what is not finite leaves a gap.
    """

    name: str
    steps: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes.

    Attributes:
        title: Above the chart; say the unit if there is one.
        curves: Lines.
        x_label: Below the horizontal axis.
    """

    title: str
    curves: Sequence[Curve]
    x_label: str = 'iteration'


@dataclass(frozen=True)
class LearningCurves:
    """Charts side by side.

    Attributes:
        title: Heading.
        charts: Charts.
        caption: Where the curves are from.
    """

    title: str
    charts: Sequence[Chart]
    caption: str = ''
    kind: ClassVar[str] = 'curves'


@dataclass(frozen=True)
class Picture:
    """One picture of a card.

    Attributes:
        title: Below the picture.
        image: RGB, uint8, (H, W, 3); embedded as it is, so shrink it first.
        group: Pictures of a group are shown or hidden together.
    """

    title: str
    image: NDArray[np.uint8]
    group: str


@dataclass(frozen=True)
class ImageCard:
    """All pictures of one image.

    Attributes:
        name: Name of the image.
        classes: Names of its classes, to filter by.
        pictures: Pictures.
        score: Number to sort by; None sorts last.
        note: Beside the name, e.g. 'mIoU 31.2 %, rank 5 of 1000'.
    """

    name: str
    classes: Sequence[str]
    pictures: Sequence[Picture]
    score: float | None = None
    note: str = ''


@dataclass(frozen=True)
class LegendEntry:
    """Meaning of a colour.

    Attributes:
        text: Meaning.
        colour: RGB, 0 to 255.
    """

    text: str
    colour: Sequence[int]


@dataclass(frozen=True)
class ImageSheet:
    """Cards that the reader filters and sorts; shown in the given order.

    Attributes:
        title: Heading.
        cards: Cards, lowest score first.
        low_first: What the order by rising score is called.
        high_first: What the order by falling score is called.
        legends: Colours that the pictures use, under headings.
        caption: How the images were chosen and what the score is.
    """

    title: str
    cards: Sequence[ImageCard]
    low_first: str = 'Worst first'
    high_first: str = 'Best first'
    legends: Mapping[str, Sequence[LegendEntry]] = field(default_factory=dict)
    caption: str = ''
    kind: ClassVar[str] = 'sheet'

    @property
    def classes(self) -> list[str]:
        """Name all classes, sorted."""
        return sorted({name for card in self.cards for name in card.classes})

    @property
    def groups(self) -> list[str]:
        """Name all groups of pictures, in order of appearance."""
        groups = [p.group for card in self.cards for p in card.pictures]
        return list(dict.fromkeys(groups))


Section = Prose | Table | LearningCurves | ImageSheet
