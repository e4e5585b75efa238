# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The frozen class tables, and users' own classes."""

import hashlib

import pytest
from mmengine.config import Config

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.datasets import CLASS_PROMPTS, ClassPrompts, get_class_prompts
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop import partworld


def _digest(names):
    return hashlib.sha256('|'.join(names).encode()).hexdigest()[:16]


def test_voc12_is_the_clip_es_table():
    voc = CLASS_PROMPTS['voc12']
    assert (len(voc.classes), len(voc.background)) == (20, 25)
    changed = {
        (i, c, p)
        for i, (c, p) in enumerate(
            zip(voc.classes, voc.foreground, strict=True)
        )
        if c != p
    }
    assert changed == {
        (2, 'bird', 'bird avian'),
        (8, 'chair', 'chair seat'),
        (14, 'person', 'person with clothes,people,human'),
        (19, 'tvmonitor', 'tvmonitor screen'),
    }
    assert voc.labels[:2] == ('background', 'aeroplane')


def test_coco14_is_the_clip_es_table_without_its_typo():
    coco = CLASS_PROMPTS['coco14']
    official = CLASS_PROMPTS['coco14_official']
    assert (len(coco.classes), len(coco.background)) == (80, 23)
    assert set(CLASS_PROMPTS['voc12'].background) - set(coco.background) == {
        'keyboard',
        'sign',
    }
    expected = {
        0: 'person with clothes,people,human',
        3: 'motorbike',
        4: 'aeroplane',
        14: 'bird avian',
        24: 'backpack,bag',
        25: 'umbrella,parasol',
        26: 'handbag,purse',
        27: 'necktie',
        31: 'snowboard',
        35: 'glove',
        44: 'dessertspoon',
        56: 'chair seat',
        57: 'sofa',
        58: 'pottedplant',
        60: 'diningtable',
        62: 'tvmonitor screen',
        65: 'remote control',
        78: 'hairdrier,blowdrier',
        79: 'toothbrush',
    }
    assert {i: coco.foreground[i] for i in expected} == expected
    differ = [
        (a, b)
        for a, b in zip(coco.foreground, official.foreground, strict=True)
        if a != b
    ]
    assert differ == [('snowboard', 'sknowboard')]
    assert coco.classes == official.classes


def test_partworld_follows_the_drawing_code():
    world = CLASS_PROMPTS['partworld']
    assert world.classes == tuple(c.name for c in partworld.CLASSES)
    assert world.foreground == world.classes
    assert world.background == tuple(partworld.BACKGROUNDS)
    assert len(world.labels) == len(partworld.PALETTE)


@pytest.mark.parametrize(
    ('name', 'role', 'digest'),
    [
        ('voc12', 'foreground', '26fd975291f19bac'),
        ('voc12', 'background', 'a56d9e755e6eec94'),
        ('coco14', 'classes', '101a8b35e74b4d8c'),
        ('coco14', 'foreground', '29b8263363952572'),
        ('coco14_official', 'foreground', '24024ec97901b661'),
        ('coco14', 'background', '02a4b18841b0cb2c'),
    ],
)
def test_tables_are_frozen(name, role, digest):
    # Prompts are the model's input: who changes one changes every score.
    assert _digest(getattr(CLASS_PROMPTS[name], role)) == digest


def test_own_classes_from_dict_and_yaml(tmp_path):
    file = tmp_path / 'pets.yaml'
    file.write_text(
        'classes:\n  cat: [kitten]\n  mug: coffee mug\n  dog:\n'
        'background: [table, floor]\n'
    )
    expected = ClassPrompts(
        classes=('cat', 'mug', 'dog'),
        foreground=('cat,kitten', 'coffee mug', 'dog'),
        background=('table', 'floor'),
    )
    assert get_class_prompts(str(file)) == expected
    assert (
        get_class_prompts(
            {
                'classes': {'cat': ['kitten'], 'mug': 'coffee mug', 'dog': ''},
                'background': ['table', 'floor'],
            }
        )
        == expected
    )
    assert get_class_prompts(expected) is expected
    plain = get_class_prompts({'classes': ['a', 'b'], 'background': ['c']})
    assert plain.foreground == ('a', 'b')
    assert get_class_prompts('voc12') is CLASS_PROMPTS['voc12']


@pytest.mark.parametrize('background', ['Kitten', 'CAT', 'cat,kitten', 'cat'])
def test_background_that_names_a_class_is_refused(background):
    with pytest.raises(UserInputError, match="names the class 'cat'"):
        ClassPrompts(('cat',), ('cat,kitten',), ('floor', background))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'classes': ['a']}, r"got \['classes'\]. For example.*`background: "),
        ({}, 'Expected `classes` and `background`'),
        ({'classes': ['a', 'a'], 'background': ['b']}, 'every name'),
        ({'classes': 'a b', 'background': ['c']}, "got 'a b'.*`classes: "),
        ({'classes': [True], 'background': ['b']}, 'in quotes'),
        ({'classes': {'a': 3}, 'background': ['b']}, 'in quotes'),
        ({'classes': ['a'], 'background': []}, 'one name or more'),
        ({'classes': ['a'], 'background': ['']}, 'none of them empty'),
        ({'classes': ['a'], 'background': ['b', 'B']}, 'more than once'),
    ],
)
def test_wrong_content_is_refused(content, message):
    with pytest.raises(UserInputError, match=message):
        get_class_prompts(content)


def test_an_order_that_a_written_config_would_lose_is_refused():
    names = dict(zebra=None, cat='kitten')
    content = dict(classes=names, background=['wall'])
    assert get_class_prompts(content).classes == ('zebra', 'cat')
    with pytest.raises(UserInputError, match=r"got \['zebra', 'cat'\].*YAML"):
        get_class_prompts(Config(content)._cfg_dict)
    content['classes'] = dict(sorted(names.items()))
    found = get_class_prompts(Config(content)._cfg_dict)
    assert found.foreground == ('kitten', 'zebra')


def test_number_of_prompts_must_match():
    with pytest.raises(UserInputError, match='one prompt name for each of 2'):
        ClassPrompts(('a', 'b'), ('a',), ('c',))


def test_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(UserInputError, match='voc12'):
        get_class_prompts('voc21')
    missing = str(tmp_path / 'pets' / 'classes.yaml')
    with pytest.raises(UserInputError, match='no folder') as caught:
        get_class_prompts(missing)
    assert 'voc12' not in str(caught.value)  # a file was meant
    assert '`classes: [cat, dog]`' in str(caught.value)
    broken = tmp_path / 'x.yaml'
    broken.write_text('a: [')
    with pytest.raises(UserInputError, match='Could not read'):
        get_class_prompts(str(broken))


@pytest.mark.parametrize(
    'name',
    ['background', 'Background', '_background_', '__background__', 'BG'],
)
def test_a_class_called_background_is_refused(name):
    """mmseg's lists begin with it; label 0 would be there twice."""
    with pytest.raises(UserInputError, match='Label 0 is the background'):
        get_class_prompts(
            {'classes': [name, 'cat', 'dog'], 'background': ['wall']}
        )
    with pytest.raises(UserInputError, match='Label 0 is the background'):
        get_class_prompts(
            {'classes': {'cat': None, 'rest': [name]}, 'background': ['wall']}
        )


def test_names_with_background_in_them_are_classes():
    names = ['background radiation', 'backdrop']
    prompts = get_class_prompts({'classes': names, 'background': ['wall']})
    assert prompts.labels == ('background', *names)


def test_label_maps_hold_254_classes():
    names = [f'species {i}' for i in range(300)]
    most = get_class_prompts({'classes': names[:254], 'background': ['wall']})
    assert len(most.labels) == 255
    for count in (255, 300):
        with pytest.raises(UserInputError, match=f'at most 254.* {count}'):
            get_class_prompts(
                {'classes': names[:count], 'background': ['wall']}
            )


def test_classes_bring_their_colours() -> None:
    own = {'classes': ['a'], 'background': ['b']}
    assert get_class_prompts(own).palette == ((0, 0, 0), (128, 0, 0))  # VOC's
    red = {**own, 'palette': [[0, 0, 0], [255, 0, 0]]}
    assert get_class_prompts(red).palette == ((0, 0, 0), (255, 0, 0))
    # What was made with other colours need not be made again.
    assert repr(get_class_prompts(red)) == repr(get_class_prompts(own))


@pytest.mark.parametrize(
    'palette',
    [
        [[0, 0, 0]],
        [[0, 0, 0], [0, 0, 256]],
        [[0, 0, 0], [0, 0]],
        [[0, 0, 0], ['r', 'e', 'd']],
        'red',
    ],
)
def test_wrong_colours_are_refused(palette: object) -> None:
    own = {'classes': ['a'], 'background': ['b'], 'palette': palette}
    with pytest.raises(UserInputError, match='red, green, blue'):
        get_class_prompts(own)
