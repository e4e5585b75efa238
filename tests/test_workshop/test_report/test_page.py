# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The page is well-formed, escaped, complete, and needs nothing else."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.workshop.report import (
    Cell,
    Chart,
    Curve,
    ImageCard,
    ImageSheet,
    LearningCurves,
    LegendEntry,
    Picture,
    Prose,
    Table,
    render_page,
    write_page,
)

NASTY = '<b>&"\'</b>{{ 1 }}</script>'
VOID = {'meta', 'link', 'input', 'img', 'br', 'hr'}


class Checker(HTMLParser):
    """Collects the elements, and whatever is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f'attribute twice in {tag}')
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f'</{tag}> at {self.getpos()}')

    def handle_data(self, data):
        if self.open and self.open[-1] not in ('style', 'script'):
            self.text.append(data)


def check(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.faults == [] and checker.open == []
    ids = [a['id'] for _, a in checker.found if 'id' in a]
    assert len(set(ids)) == len(ids)
    for tag, attributes in checker.found:
        for name in ('aria-labelledby', 'aria-describedby'):
            for target in (attributes.get(name) or '').split():
                assert target in ids, (tag, name, target)
        for name in ('src', 'href', 'action', 'data', 'poster', 'srcset'):
            value = attributes.get(name)
            assert value is None or value.startswith(('data:', '#')), value
    code = re.sub(r'data:image/webp;base64,[\w+/=]+', '', html)
    assert not re.search(r'https?:|//[a-z]|@import|url\(|fetch\(', code)
    return checker


@pytest.fixture
def sections(noise):
    cards = [
        ImageCard(
            f'{NASTY}{number}',
            (NASTY, 'cat') if number else ('cat',),
            [
                Picture('image', noise, 'image'),
                Picture(f'CAM {NASTY}', noise[:, ::-1].copy(), 'CAMs'),
            ],
            score,
            NASTY,
        )
        for number, score in enumerate((3.0, 7.5, None))
    ]
    curves = [Curve(NASTY, [1, 2], [0.3, 0.1]), Curve('b', [1, 2], [1, 2])]
    rows = [[NASTY, Cell('1.0', 1.0, 0.1, True, NASTY)], ['x', 'none']]
    return [
        Prose(NASTY, [NASTY], [NASTY]),
        Table(NASTY, [NASTY, 'b'], rows, NASTY),
        LearningCurves(NASTY, [Chart(NASTY, curves)], NASTY),
        ImageSheet(
            NASTY,
            cards,
            legends={NASTY: [LegendEntry(NASTY, (1, 2, 3))]},
            caption=NASTY,
        ),
    ]


def test_names_are_escaped_and_the_page_is_well_formed(sections):
    html = render_page(NASTY, sections, [NASTY])
    page = check(html)
    assert not any(tag == 'b' for tag, _ in page.found)
    assert [tag for tag, _ in page.found].count('script') == 1
    assert ''.join(page.text).count(NASTY) > 15
    assert '{{ 1 }}' in ''.join(page.text)  # no template in a template


def test_data_of_the_cards_survives(sections):
    page = check(render_page('t', sections))
    cards = [a for tag, a in page.found if tag == 'article']
    assert [json.loads(a['data-classes']) for a in cards] == [
        ['cat'],
        [NASTY, 'cat'],
        [NASTY, 'cat'],
    ]
    assert [a['data-score'] for a in cards] == ['3', '7.5', '']
    assert cards[1]['data-name'] == f'{NASTY}1'


def test_pictures_decode_and_say_what_they_show(sections, noise):
    page = check(render_page('t', sections))
    images = [a for tag, a in page.found if tag == 'img']
    assert len(images) == 6
    for number, attributes in enumerate(images):
        head, data = attributes['src'].split(',')
        assert head == 'data:image/webp;base64'
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            decoded = np.asarray(picture.convert('RGB'))
        assert decoded.shape == noise.shape
        assert len(attributes['alt']) > 5
        # noise is the worst case of a lossy format
        true = noise[:, ::-1] if number % 2 else noise
        assert np.corrcoef(decoded.ravel(), true.ravel())[0, 1] > 0.6


def test_controls_have_labels(sections):
    page = check(render_page('t', sections))
    for tag, attributes in page.found:
        if tag == 'svg':
            assert attributes['role'] == 'img' and attributes['aria-label']
        if tag == 'th':
            assert attributes['scope'] in ('row', 'col')
    text = ''.join(page.text)
    for label in ('Class', 'Order', 'Worst first', 'Best first', 'Show'):
        assert label in text


def test_empty_page_and_empty_sections():
    check(render_page('t', []))
    check(
        render_page(
            't', [Table('a', ['b'], []), ImageSheet('c', []), Prose('d')]
        )
    )


def test_rows_must_fit_the_columns():
    with pytest.raises(ValueError, match='2 cells, got 1'):
        Table('t', ['a', 'b'], [['x']])


def test_write(tmp_path):
    size = write_page(tmp_path / 'new' / 'page.html', 'ä')
    assert size == 2
    assert (tmp_path / 'new' / 'page.html').read_text('utf-8') == 'ä'
