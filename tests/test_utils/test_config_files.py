# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What variables hold are values; what is wrong in a config is one line."""

import json
import os
from pathlib import Path

import pytest
from mmengine.config import Config

from mmfmwsss.utils import UserInputError, read_config

CONFIGS = Path(__file__).parents[2] / 'configs'
VALUES = [
    '/plain/path',
    "/anna's photos/2024",
    'C:\\pool\\new\\x41\\u0041',
    "two \"quotes\" and one ' and ''' three",
    'ends in a backslash\\',
    'line\nend\r\ttab',
    '{{ _base_.x }} {{$HOME:y}} {{ fileDirname }} {0} {name}',
    '照片/naïve ½ 🙂',
    '\\N{BULLET} \\x27 %s $HOME `id`',
    "x' + __import__('os').system('touch stranger') + '",
    'x")\nimport os; os.system("touch stranger")\n("',
]


@pytest.mark.parametrize('value', VALUES)
def test_any_text_is_a_value(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PHOTOS', value)
    (tmp_path / 'base.py').write_text(
        "one = '{{$PHOTOS:data}}'\n"
        'two = """{{$PHOTOS:data}}/x"""  # {{$PHOTOS:data}}\n'
        "three = f'{one}/{{$PHOTOS:data}}'\n"
        "nothing = '{{$NOT_SET_AT_ALL:here}}'\n"
    )
    (tmp_path / 'top.py').write_text(
        "_base_ = './base.py'\n"
        "four = dict(a=['{{$PHOTOS:data}}'], b={{_base_.nothing}})\n"
    )
    config = read_config(tmp_path / 'top.py')
    assert config.one == value
    assert config.two == f'{value}/x'
    assert config.three == f'{value}/{value}'
    assert config.four == dict(a=[value], b='here')
    assert not (tmp_path / 'stranger').exists()
    # A run writes its config down, and a report reads it.
    config.dump('dumped.py')
    assert read_config('dumped.py', dumped=True).one == value
    (tmp_path / 'j.json').write_text('{"a": "{{$PHOTOS:x}}/b"}')
    assert read_config('j.json').a == f'{value}/b'


@pytest.mark.parametrize('value', VALUES)
@pytest.mark.parametrize('read', [read_config, Config.fromfile])
@pytest.mark.parametrize(
    ('config', 'variable', 'setting'),
    [
        ('fmwsss/custom_sam_masks.py', 'CUSTOM_ROOT', 'data_root'),
        ('fmwsss/custom_sam_masks.py', 'SAM_VIT_H', 'sam.checkpoint'),
        ('fmwsss/custom_seed.py', 'CUSTOM_WORK', 'work'),
        ('_base_/datasets/voc12_seeds.py', 'VOC12_ROOT', 'data_root'),
        ('_base_/datasets/coco14_seeds.py', 'COCO14_ROOT', 'data_root'),
        ('_base_/models/deeplabv3plus_r101.py', 'RESNET101_V1C', 'pretrained'),
        ('fmwsss/ablation/prompts.py', 'ABLATION_RUN', 'folder'),
    ],
)
def test_the_shipped_configs_with_any_reader(
    value: str, read, config: str, variable: str, setting: str,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, value)
    found = read(str(CONFIGS / config))
    for key in setting.split('.'):
        found = found[key]
    assert found == value
    assert not (tmp_path / 'stranger').exists()


def test_no_shipped_config_pastes_a_variable_into_its_source() -> None:
    pasted = [p for p in CONFIGS.rglob('*.py') if '{{$' in p.read_text()]
    assert not pasted


def test_variables_outside_of_strings_are_literals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'config.py'
    path.write_text("a = dict(count={{'$COUNT:80'}}, b=-{{'$COUNT:80'}})\n")
    assert read_config(path).a == dict(count=80, b=-80)
    for value, expected in {'12': 12, '0.5': 0.5, "'x'": 'x'}.items():
        monkeypatch.setenv('COUNT', value)
        path.write_text('count = {{"$COUNT:80"}}\n')
        assert read_config(path).count == expected
    for value in (
        'twelve', '1 + 1', '__import__("os")', '', "'{{_base_.x}}'", '(' * 999,
    ):  # fmt: skip
        monkeypatch.setenv('COUNT', value)
        if not value:  # as if it were not set
            assert read_config(path).count == 80
            continue
        with pytest.raises(UserInputError, match=r'^The config puts \$COUNT'):
            read_config(path)


def test_values_that_have_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PHOTOS', "anna's")
    raw = tmp_path / 'raw.py'
    raw.write_text("a = r'{{$PHOTOS:x}}'\n")
    with pytest.raises(UserInputError, match=r"\$PHOTOS.*os\.environ\['PH"):
        read_config(raw)
    monkeypatch.setenv('PHOTOS', '!!python/object/apply:os.getcwd []')
    text = tmp_path / 'config.yaml'
    text.write_text('a: {{$PHOTOS:x}}\n')
    with pytest.raises(UserInputError, match=r'^The config puts \$PHOTOS'):
        read_config(text)
    monkeypatch.delenv('PHOTOS')
    raw.write_text("a = r'{{$PHOTOS:}}'\n")
    with pytest.raises(UserInputError, match='export PHOTOS='):
        read_config(raw)


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    path = tmp_path / 'config.yaml'
    path.write_text(
        f'a: !!python/object/apply:os.mkdir ["{tmp_path}/stranger"]\n'
    )
    with pytest.raises(UserInputError, match='cannot be read'):
        read_config(path)
    assert not (tmp_path / 'stranger').exists()
    path.write_text('a: {b: 1}\n')
    assert read_config(path).a.b == 1
    (tmp_path / 'list.json').write_text(json.dumps([1]))
    with pytest.raises(UserInputError, match='got a list'):
        read_config(tmp_path / 'list.json')


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a = 1\nb = (\n', r'bad\.py, line 2, `b = \(`, but.*never closed'),
        ('a = 1\nb = nothing\n', r"line 2, `b = nothing`.*'nothing' is not"),
        ("_base_ = './no_base.py'\n", r'bad\.py, but .*no_base\.py'),
        ("custom_imports = dict(imports=['no_module'])\n", "'no_module'"),
        ('a = {{_base_.b}}\n', r'bad\.py, but it cannot be read \(KeyError'),
    ],
)
def test_what_is_wrong_is_one_line(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('bad.py').write_text(text)
    with pytest.raises(UserInputError, match=expected) as caught:
        read_config('bad.py')
    assert '\n' not in str(caught.value)
    if '_base_' not in text:  # the same, found in the base
        Path('top.py').write_text("_base_ = './bad.py'\n")
        with pytest.raises(UserInputError, match=expected):
            read_config('top.py')


def test_a_config_that_is_not_there_and_one_like_it(tmp_path: Path) -> None:
    (tmp_path / 'voc_seed.py').write_text('a = 1\n')
    with pytest.raises(UserInputError, match=r'voc_sead\.py is not.*voc_seed'):
        read_config(tmp_path / 'voc_sead.py')


@pytest.mark.parametrize(
    ('name', 'value', 'expected'),
    [
        ('CUSTOM_MODELS', 'tinny', r"photo or tiny, but it is 'tinny'"),
        ('CUSTOM_MODELS', '../../x', 'vit_b16 or photo or tiny'),
        ('SAM_ARCH', 'vit_x', 'vit_h or vit_l or vit_b or vit_t'),
        ('CUSTOM_PROMPT_EPOCHS', 'three', "from 1 on, but it is 'three'"),
        ('CUSTOM_PROMPT_EPOCHS', '0', "from 1 on, but it is '0'"),
        ('CUSTOM_NETWORK_EPOCHS', '-1', "from 1 on, but it is '-1'"),
        ('CUSTOM_NETWORK_EPOCHS', '2.5', 'a whole number'),
    ],
)
def test_variables_with_few_values(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserInputError, match=rf'^Expected \${name} to be .*'):
        read_config(CONFIGS / 'fmwsss/custom_sam_masks.py')
    with pytest.raises(UserInputError, match=expected):
        read_config(CONFIGS / 'fmwsss/custom_sam_masks.py')
    read_config(CONFIGS / 'fmwsss/voc_seed.py')  # which reads none of them


def test_mmengine_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Config._substitute_env_variables
    monkeypatch.setenv('CUSTOM_MODELS', 'tinny')
    with pytest.raises(UserInputError):
        read_config(CONFIGS / 'fmwsss/custom.py')
    assert Config._substitute_env_variables is before
    assert os.environ['CUSTOM_MODELS'] == 'tinny'
