# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page in a real browser: no error, all images, filter, sort, keys."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from mmfmwsss.workshop.report import (
    Cell,
    ImageCard,
    ImageSheet,
    Picture,
    Table,
    render_page,
)

BROWSER = next(
    filter(None, map(shutil.which, ('chromium', 'google-chrome', 'chrome'))),
    None,
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason='there is no browser'),
]

LISTEN = """<script>
var faults = [];
addEventListener('error', (e) => faults.push(String(e.message)), true);
addEventListener('unhandledrejection', (e) => faults.push(String(e.reason)));
</script>"""

# Uses the page as a reader does, and leaves what it saw in the document. All
# of it happens in the load event, when the images of the page are there: the
# browser writes the document down once the event is over, however long that
# takes on a busy machine.
USE = """<script>
addEventListener('load', () => {
  const seen = {};
  const form = document.querySelector('.controls');
  const names = () => [...document.querySelectorAll('article')]
    .filter((card) => card.checkVisibility())
    .map((card) => card.dataset.name);
  const set = (name, value, kind = 'change') => {
    form.elements[name].value = value;
    form.elements[name].dispatchEvent(new Event(kind, {bubbles: true}));
  };
  seen.widths = [...document.images].map((image) => image.naturalWidth);
  seen.start = names();
  set('order', 'high'); seen.best = names();
  set('order', 'name'); seen.name = names();
  set('order', 'low'); seen.worst = names();
  set('class', 'a<b'); seen.filtered = names();
  seen.count = form.querySelector('output').value;
  set('class', ''); set('name', 'IMG10', 'input'); seen.found = names();
  set('name', '', 'input');
  const box = form.querySelector('[value=CAMs]');
  box.click();
  seen.figures = [...document.querySelectorAll('article figure')]
    .filter((figure) => figure.checkVisibility()).length;
  box.click();

  const sort = document.querySelectorAll('.sort')[1];
  const column = () => [...document.querySelectorAll('tbody tr')]
    .map((row) => row.cells[0].textContent.trim());
  sort.click(); seen.rising = column();
  sort.click(); seen.falling = column();
  seen.sorted = sort.closest('th').getAttribute('aria-sort');

  const viewer = document.getElementById('viewer');
  const opener = document.querySelector('article .open');
  const press = (key) => viewer.dispatchEvent(
    new KeyboardEvent('keydown', {key, bubbles: true}));
  const alt = () => viewer.querySelector('img').alt;
  opener.click();
  seen.opened = [viewer.open, alt()];
  press('ArrowRight'); seen.next = alt();
  press('ArrowLeft'); press('ArrowLeft'); seen.first = alt();
  viewer.querySelector('form button').click();
  seen.closed = !viewer.open;

  seen.overflow = document.documentElement.scrollWidth > innerWidth;
  seen.resources = performance.getEntriesByType('resource')
    .map((entry) => entry.name).filter((name) => !name.startsWith('data:'));
  seen.faults = faults;
  const out = document.createElement('pre');
  out.id = 'seen';
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
</script>"""


@pytest.fixture
def html(noise) -> str:
    def card(name, score, classes):
        pictures = [
            Picture('image', noise, 'image'),
            Picture('CAM cat', noise[::-1].copy(), 'CAMs'),
        ]
        return ImageCard(name, classes, pictures, score, 'note')

    cards = [
        card('img9', 1.5, ('cat',)),
        card('img10', 20.0, ('a<b', 'cat')),
        card('img2', 30.0, ('a<b',)),
        card('bare', None, ()),
    ]
    rows = [
        ['x', Cell('9.0', 9.0)],
        ['y', Cell('10.0', 10.0)],
        ['z', Cell('none', float('nan'))],
    ]
    sections = [Table('Scores', ['Run', 'mIoU'], rows)]
    return render_page('t', [*sections, ImageSheet('Images', cards)])


def browse(html: str, folder: Path, width: int) -> dict:
    """Open a page and use it; what was seen."""
    page = folder / f'page{width}.html'
    text = html.replace('<head>', f'<head>{LISTEN}', 1)
    page.write_text(text.replace('</body>', f'{USE}</body>', 1), 'utf-8')
    result = subprocess.run(
        [
            str(BROWSER),
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--enable-logging=stderr',
            f'--user-data-dir={folder / "profile"}',
            f'--window-size={width},900',
            '--dump-dom',
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    consoled = [x for x in result.stderr.splitlines() if 'CONSOLE' in x]
    assert consoled == []
    found = re.search(r'<pre id="seen">(.*?)</pre>', result.stdout, re.S)
    assert found is not None, result.stdout[-2000:]
    seen: dict = json.loads(unescape(found[1]))
    return seen


@pytest.mark.parametrize('width', [1280, 500])
def test_page_works(html, tmp_path, width):
    seen = browse(html, tmp_path, width)
    assert seen['faults'] == [] and seen['resources'] == []
    assert seen['widths'] == [32] * 8
    worst = ['img9', 'img10', 'img2', 'bare']
    assert seen['start'] == seen['worst'] == worst
    assert seen['best'] == ['img2', 'img10', 'img9', 'bare']
    assert seen['name'] == ['bare', 'img2', 'img9', 'img10']
    assert seen['filtered'] == ['img10', 'img2']
    assert seen['count'] == '2 of 4 images'
    assert seen['found'] == ['img10']
    assert seen['figures'] == 4
    assert seen['rising'] == ['x', 'y', 'z']
    assert seen['falling'] == ['y', 'x', 'z']
    assert seen['sorted'] == 'descending'
    assert seen['opened'] == [True, 'image, img9']
    assert seen['next'] == 'CAM cat, img9'
    assert seen['first'] == 'image, img9'
    assert seen['closed'] and not seen['overflow']


def test_errors_are_noticed(html, tmp_path):
    """The check above can fail."""
    broken = html.replace('data:image/webp;base64,', 'data:image/webp,x', 1)
    seen = browse(broken, tmp_path, 800)
    assert seen['faults'] == ['undefined']
    assert seen['widths'] == [0] + [32] * 7
