# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Drawings of layers, which Mermaid would fetch a program for, as HTML."""

import html
import re
from itertools import pairwise

BOX = re.compile(r'^ *(\w+)\["(.+)"\]$')


def draw_rooms(chart: str) -> str:
    r"""Draw a flow chart from top to bottom as rows of boxes.

    A box is one row below the lowest of those with an arrow to it.

    Example:
        >>> rows = draw_rooms('flowchart TD\n a["A: x"]\n b["B"]\n a --> b')
        >>> rows.count('<div class="row">')
        2
    """
    labels: dict[str, str] = {}
    depth: dict[str, int] = {}
    arrows: list[tuple[str, str]] = []
    for line in chart.splitlines():
        box = BOX.match(line)
        if box:
            labels[box[1]] = box[2]
        steps = [re.findall(r'\w+', step) for step in line.split('-->')]
        for above, below in pairwise(steps):
            arrows += [(upper, lower) for upper in above for lower in below]

    # As often as there are boxes: no chain is longer
    depth = dict.fromkeys(labels, 0)
    for _ in labels:
        for upper, lower in arrows:
            depth[lower] = max(depth[lower], depth[upper] + 1)

    rows = [
        ''.join(_box(labels[name]) for name in labels if depth[name] == number)
        for number in range(max(depth.values(), default=-1) + 1)
    ]
    drawn = ''.join(f'<div class="row">{row}</div>' for row in rows)
    return f'<div class="rooms">{drawn}</div>'


def _box(label: str) -> str:
    """Write a box, with what is before the colon in bold."""
    name, colon, rest = label.partition(':')
    return f'<span><b>{html.escape(name)}</b>{colon}{html.escape(rest)}</span>'
