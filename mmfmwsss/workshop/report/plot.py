# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Place the lines and ticks of a chart; the template draws them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .sections import Chart, Curve

__all__ = ['Line', 'Plot', 'Point', 'Tick', 'nice_ticks', 'plot']

_WIDTH, _HEIGHT = 380, 220  # units of the SVG, about pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 38
_SHOWN_POINTS = 60  # with more, points would hide the line


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place along it, and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Point:
    """A measured value: its place, and what is shown on it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    """One curve: name, SVG path, and points unless they are too many."""

    name: str
    path: str
    points: list[Point]


@dataclass(frozen=True)
class Plot:
    """Geometry of a chart, in SVG units.

    Attributes:
        title: Of the chart.
        x_label: Below the axis.
        summary: First and last value of each curve, for screen readers.
        x_ticks: Marks of the horizontal axis.
        y_ticks: Marks of the vertical axis.
        lines: Curves.
        width: Of the picture.
        height: Of the picture.
        left: Where the vertical axis is.
        right: Where the curves end.
        top: Where the vertical axis ends.
        bottom: Where the horizontal axis is.
    """

    title: str
    x_label: str
    summary: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = _HEIGHT - _BOTTOM


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Choose round numbers that enclose a range, in steps of 1, 2 or 5.

    Args:
        low (float): Smallest value.
        high (float): Largest value, not below ``low``.
        most (int): Number of ticks aimed at.

    Returns:
        list[float]: Rising; the first is not above ``low`` and the last not
        below ``high``.
    """
    # Choose the smallest round step that needs no more ticks than allowed
    span = high - low or abs(high) or 1.0
    exact = span / max(1, most - 1)
    unit = 10.0 ** math.floor(math.log10(exact))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= exact * 0.999)
    # Enclose the range in whole steps, rounding errors aside
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [step * number for number in range(first, last + 1)]


def plot(chart: Chart) -> Plot:
    """Lay a chart out.

    Args:
        chart (Chart): Curves.

    Returns:
        Plot: The vertical axis starts at 0 where all values are positive and
        0 is not far.
    """
    # Find the ranges of the axes
    xs, ys = _places(chart)
    low = 0.0 if 0 < min(ys) < 0.7 * max(ys) else min(ys)
    x_range = (min(xs), max(max(xs), min(xs) + 1))
    y_values = nice_ticks(low, max(ys))
    y_range = (y_values[0], y_values[-1])
    x_values = [
        x for x in nice_ticks(*x_range) if x_range[0] <= x <= x_range[1]
    ]
    # Place lines and ticks
    return Plot(
        title=chart.title,
        x_label=chart.x_label,
        summary='; '.join(_summarise(curve) for curve in chart.curves),
        x_ticks=[Tick(_x(x, x_range), _text(x)) for x in x_values],
        y_ticks=[Tick(_y(y, y_range), _text(y)) for y in y_values],
        lines=[_line(curve, x_range, y_range) for curve in chart.curves],
    )


def _places(chart: Chart) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Collect x and y of all curves; 0 and 0 if nothing was measured."""
    measured = [p for curve in chart.curves for p in _finite(curve)]
    xs, ys = zip(*(measured or [(0.0, 0.0)]), strict=True)
    return xs, ys


def _finite(curve: Curve) -> Iterable[tuple[float, float]]:
    for step, value in zip(curve.steps, curve.values, strict=True):
        if math.isfinite(value):
            yield float(step), float(value)


def _x(value: float, span: tuple[float, float]) -> float:
    share = (value - span[0]) / (span[1] - span[0])
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float, span: tuple[float, float]) -> float:
    share = (value - span[0]) / (span[1] - span[0])
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _line(
    curve: Curve, x_range: tuple[float, float], y_range: tuple[float, float]
) -> Line:
    # Draw a stroke through the finite values
    path, points, pen = [], [], 'M'
    for step, value in zip(curve.steps, curve.values, strict=True):
        if not math.isfinite(value):
            pen = 'M'  # a gap
            continue
        x, y = _x(step, x_range), _y(value, y_range)
        path.append(f'{pen}{x} {y}')
        text = f'{curve.name}: {_text(value)} at {_text(step)}'
        points.append(Point(x, y, text))
        pen = 'L'
    # Show points of short curves only
    few = len(points) <= _SHOWN_POINTS
    return Line(curve.name, ' '.join(path), points if few else [])


def _summarise(curve: Curve) -> str:
    values = [value for _, value in _finite(curve)]
    if not values:
        return f'{curve.name}: no value'
    return f'{curve.name} from {_text(values[0])} to {_text(values[-1])}'


def _text(value: float) -> str:
    """Write four digits at most, as a person would."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return (
            f'{value:.4f}'.rstrip('0').rstrip('.')
            if value % 1
            else (f'{value:.0f}')
        )
    return f'{value:.3g}'
