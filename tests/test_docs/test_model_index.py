# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Model cards: configs that exist, and the figures of the documentation."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RESULTS = (ROOT / 'docs' / 'results.md').read_text()
(METAFILE,) = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
CARDS = yaml.safe_load((ROOT / METAFILE).read_text())
PAPER, MEASURED = (each['Name'] for each in CARDS['Collections'])


def rows_of(heading: str) -> list[tuple[str, float]]:
    """Rows of the table below a heading: (text, mIoU)."""
    part = RESULTS.split(f'\n## {heading}\n')[1].split('\n## ')[0]
    rows = re.findall(r'^\| (.+) \| ([\d.]+) \|$', part, re.M)
    return [(text.replace(' | ', ': '), float(value)) for text, value in rows]


def cards_of(collection: str) -> list[dict[str, Any]]:
    return [m for m in CARDS['Models'] if m['In Collection'] == collection]


def figure_of(card: dict[str, Any]) -> float:
    (result,) = card['Results']
    return result['Metrics']['mIoU']


def test_cards_have_names_and_configs() -> None:
    names = [card['Name'] for card in CARDS['Models']]
    assert len(names) == len(set(names)) > 10
    for card in CARDS['Models']:
        assert (ROOT / card['Config']).is_file()
    for collection in CARDS['Collections']:
        assert (ROOT / collection['README']).is_file()


def test_papers_figures_are_marked() -> None:
    assert PAPER.endswith('(Paper)')
    assert MEASURED.endswith('(measured)')
    for card in CARDS['Models']:
        of_paper = card['In Collection'] == PAPER
        assert card['Name'].endswith('_paper') == of_paper
        mark = 'Paper' if of_paper else 'measured here'
        assert card['Metadata']['Figures'] == mark


@pytest.mark.parametrize(
    ('collection', 'heading'),
    [(PAPER, "The paper's"), (MEASURED, 'Measured here')],
)
def test_figures_are_those_of_the_page(collection: str, heading: str) -> None:
    rows = rows_of(heading)
    cards = cards_of(collection)
    assert len(cards) > 5
    for card in cards:
        (result,) = card['Results']
        row = f'{result["Dataset"]}: {card["Metadata"]["Row"]}'
        assert (row, figure_of(card)) in rows


@pytest.mark.parametrize(
    ('page', 'table', 'cards'),
    [
        ('docs/partworld.md', '| PartWorld, mIoU in %', 'partworld'),
        ('README.md', '| VOC-Animals, mIoU in %', 'voc-animals'),
    ],
)
def test_figures_of_a_page_are_those_of_the_cards(
    page: str, table: str, cards: str
) -> None:
    rows = (ROOT / page).read_text().split(table)[1].split('\n\n')[0]
    found = re.findall(r'\| \**([\d.]+)\** \|$', rows, re.M)
    shown = set(map(float, found))
    ours = {
        figure_of(card) for card in cards_of(MEASURED) if cards in card['Name']
    }
    assert ours
    assert ours <= shown


def test_the_index_is_one_that_mim_reads() -> None:
    modelindex = pytest.importorskip('modelindex')
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    assert len(index.models) == len(CARDS['Models'])
