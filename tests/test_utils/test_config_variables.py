# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Variables put into configs: values stay values, whatever they hold."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.config_variables import (
    check_variables,
    environment_set,
    fill_variables,
)

NASTY = [
    'plain/path',
    "it's",
    'C:\\new\\table',
    'two\nlines',
    '{{$OTHER:x}}',
    "' + __import__('os').getcwd() + '",
    '#%"""',
    'Müller',
]


def fill(tmp_path: Path, text: str, suffix: str = '.py') -> str:
    source, target = tmp_path / f'in{suffix}', tmp_path / f'out{suffix}'
    source.write_text(text, encoding='utf-8')
    fill_variables(str(source), str(target))
    return target.read_text(encoding='utf-8')


def run(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(text, found)
    return found


def test_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOUSE_ROOT', 'data')
    monkeypatch.delenv('HOUSE_OTHER', raising=False)
    text = "a = '{{$HOUSE_ROOT:x}}/voc'\nb = '{{$HOUSE_OTHER:y}}'\nc = 3\n"
    assert fill(tmp_path, text) == "a = 'data/voc'\nb = 'y'\nc = 3\n"


@pytest.mark.parametrize('value', NASTY)
@pytest.mark.parametrize('quote', ["'", '"', "'''", '"""'])
def test_a_string_has_the_value(
    value: str, quote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_ROOT', value)
    text = f'a = {quote}<{{{{$HOUSE_ROOT:x}}}}>{quote}\n'
    assert run(fill(tmp_path, text))['a'] == f'<{value}>'


@pytest.mark.parametrize('value', NASTY)
def test_json_has_the_value(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_ROOT', value)
    text = '{"a": "<{{$HOUSE_ROOT:x}}>"}'
    assert json.loads(fill(tmp_path, text, '.json')) == {'a': f'<{value}>'}


def test_yaml_takes_plain_values_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_ROOT', 'my data/voc')
    found = fill(tmp_path, "a: '{{$HOUSE_ROOT:x}}'", '.yaml')
    assert found == "a: 'my data/voc'"
    monkeypatch.setenv('HOUSE_ROOT', 'a: [b')
    with pytest.raises(UserInputError, match=r'\$HOUSE_ROOT'):
        fill(tmp_path, "a: '{{$HOUSE_ROOT:x}}'", '.yaml')


@pytest.mark.parametrize('value', ['12', '-0.5', "['a', 'b']", 'None'])
def test_literals_may_stand_alone(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_NUMBER', value)
    found = run(fill(tmp_path, 'a = {{$HOUSE_NUMBER:3}}\n'))['a']
    assert found == eval(value)


@pytest.mark.parametrize(
    'value',
    ['__import__("os")', 'a', '1; b = 2', '{{', '(' * 300],
    ids=['call', 'name', 'statement', 'braces', 'deep'],
)
def test_code_may_not(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_NUMBER', value)
    with pytest.raises(UserInputError, match=r'\$HOUSE_NUMBER'):
        fill(tmp_path, 'a = {{$HOUSE_NUMBER:3}}\n')


def test_a_raw_string_would_mean_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_ROOT', "it's")
    with pytest.raises(UserInputError, match='cannot be written'):
        fill(tmp_path, "a = r'{{$HOUSE_ROOT:x}}'\n")


def test_neither_value_nor_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOUSE_ROOT', '')
    with pytest.raises(UserInputError, match='export HOUSE_ROOT='):
        fill(tmp_path, "a = '{{$HOUSE_ROOT:}}'\n")


@pytest.mark.parametrize(
    ('name', 'good', 'bad'),
    [
        ('CUSTOM_MODELS', 'photo', 'huge'),
        ('SAM_ARCH', 'vit_t', 'vit-t'),
        ('CUSTOM_PROMPT_EPOCHS', '1', '0'),
        ('ANIMALS_NETWORK_ITERATIONS', '31', '30'),
        ('ABLATION_SEED', '0', '-1'),
        ('ABLATION_SEED', '7', 'seven'),
    ],
)
def test_variables_of_few_values(
    name: str, good: str, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, good)
    check_variables()
    monkeypatch.setenv(name, bad)
    with pytest.raises(UserInputError, match=rf'\${name}.*unset {name}'):
        check_variables()
    # A config that does not read it does not care
    check_variables(f'MY_{name} = 3')
    with pytest.raises(UserInputError):
        check_variables(f'a = {{{{${name}:x}}}}')
    monkeypatch.setenv(name, '')
    check_variables()


def use_and_fail() -> None:
    with environment_set(dict(HOUSE_ROOT='a', HOUSE_OTHER='b')):
        raise KeyError(os.environ['HOUSE_ROOT'] + os.environ['HOUSE_OTHER'])


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOUSE_ROOT', 'before')
    monkeypatch.delenv('HOUSE_OTHER', raising=False)
    with pytest.raises(KeyError, match='ab'):
        use_and_fail()
    assert os.environ['HOUSE_ROOT'] == 'before'
    assert 'HOUSE_OTHER' not in os.environ
