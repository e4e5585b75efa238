# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The drawing of the rooms, which is in Mermaid's words, as HTML."""

import re
from pathlib import Path

from room_drawing import draw_rooms

ROOT = Path(__file__).parents[2]


def test_rooms_are_drawn_below_what_imports_them() -> None:
    drawn = draw_rooms(
        'flowchart TD\n    a["A: <top>"]\n    b["B"]\n    c["C"]\n'
        '    d["D"]\n    a --> b & c\n    b --> d\n    c --> b\n'
    )
    rows = re.findall(r'<div class="row">(.*?)</div>', drawn)
    assert [re.findall(r'<b>(\w)</b>', row) for row in rows] == [
        ['A'], ['C'], ['B'], ['D'],
    ]  # fmt: skip
    assert '<b>A</b>: &lt;top&gt;' in rows[0]


def test_the_drawing_of_the_rooms_has_them_all() -> None:
    page = (ROOT / 'docs' / 'architecture.md').read_text()
    chart = page.split('```mermaid\n')[1].split('```')[0]
    drawn = draw_rooms(chart)
    assert drawn.count('<span>') == chart.count('["')
    assert drawn.index('compat') > drawn.index('utils') > drawn.index('apis')
