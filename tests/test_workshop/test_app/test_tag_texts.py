# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Typed tags and names of files, the strange ones too."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfmwsss.models.clip import photo_clip_names
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.app import parse_tags, safe_photo_name


@pytest.mark.parametrize(
    ('text', 'tags'),
    [
        ('cat', ('cat',)),
        (' Cat ,  tea_cup,\nCAT; sofa ', ('cat', 'tea cup', 'sofa')),
        (', ,', ()),
        ("bird's nest, Löwe", ("bird's nest", 'löwe')),
    ],
)
def test_tags_are_read(text: str, tags: tuple[str, ...]) -> None:
    assert parse_tags(text) == tags


def test_every_name_of_the_photo_clip_is_a_tag() -> None:
    names = photo_clip_names()
    assert [parse_tags(name) for name in names] == [
        (name.lower(),) for name in names
    ]


@pytest.mark.parametrize(
    'text', ['<script>', 'a"b', '=1+1', 'x' * 61, 'a|b', '__background__',
             'yes', '1', 'tags'],
)  # fmt: skip
def test_what_is_no_word_is_refused(text: str) -> None:
    with pytest.raises(UserInputError, match='Expected tags'):
        parse_tags(f'cat, {text}')


@pytest.mark.parametrize(
    ('given_name', 'name'),
    [
        ('photo.JPG', 'photo.jpg'),
        ('../../etc/passwd', 'passwd.jpg'),
        ('C:\\photos\\my cat.png', 'my_cat.jpg'),
        ('<img src=x onerror=alert(1)>.jpg', 'img_src_x_onerror_alert_1.jpg'),
        ('.hidden', 'hidden.jpg'),
        ('', 'photo.jpg'),
        ('Kätzchen 1.jpeg', 'Kätzchen_1.jpg'),
        ('taken.png', 'taken_3.jpg'),
    ],
)
def test_names_are_made_harmless(given_name: str, name: str) -> None:
    taken = ['Taken.jpg', 'taken_2.png']
    assert safe_photo_name(given_name, taken, '.jpg') == name


@given(st.text(max_size=300))
def test_no_name_leaves_the_folder(text: str) -> None:
    name = safe_photo_name(text, (), '.png')
    assert re.fullmatch(r'[\w-]+\.png', name)
    assert len(name) <= 84
    assert name[0] not in '.-'
