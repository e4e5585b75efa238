# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Environment variables that configs read: put in as values, and checked."""

import ast
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .errors import UserInputError

__all__ = [
    'CHOICES',
    'COUNTS',
    'check_variables',
    'environment_set',
    'fill_variables',
    'variables_of',
]

# Variables of the shipped configs with few values, and whole numbers with
# their least.
CHOICES = {
    'CUSTOM_MODELS': ('vit_b16', 'photo', 'tiny'),
    'SAM_ARCH': ('vit_h', 'vit_l', 'vit_b', 'vit_t'),
}
COUNTS = {
    'CUSTOM_PROMPT_EPOCHS': 1,
    'CUSTOM_NETWORK_EPOCHS': 1,
    'ANIMALS_PROMPT_EPOCHS': 1,
    # More than the 30 of the warm-up.
    'ANIMALS_NETWORK_ITERATIONS': 31,
    'ABLATION_SEED': 0,
}

_VARIABLE = re.compile(r'\{\{[\'"]?\s*\$(\w+)\s*:\s*(\S*?)\s*[\'"]?\}\}')
_READ = re.compile(r'environ(?:\.get\(|\[)\s*[\'"](\w+)')
_TOKEN = 'mmfmwsss_variable_{}_'
_PLAIN = re.compile(r'[\w./~@+=, -]*')  # the same in YAML with any quotes


def check_variables(text: str | None = None) -> None:
    """Check the variables that have few values.

    Args:
        text (str, optional): Of the config and its bases; only variables that
            it names count. Default: all count.

    Raises:
        UserInputError: If one is set to anything else.
    """
    # Check variables with few values.
    for name, choices in CHOICES.items():
        value = _value(name, text)
        if value is not None and value not in choices:
            raise UserInputError(
                f'Expected ${name} to be {" or ".join(choices)}, but it is '
                f'{value!r}. Correct it with `export {name}={choices[0]}`, or '
                f'`unset {name}`.'
            )
    # Check whole numbers.
    for name, least in COUNTS.items():
        value = _value(name, text)
        if value is not None and not _is_count(value, least):
            raise UserInputError(
                f'Expected ${name} to be a whole number from {least} on, but '
                f'it is {value!r}. Correct it with `export {name}=10`, or '
                f'`unset {name}`.'
            )


def variables_of(text: str) -> dict[str, str]:
    """Find the variables that a config reads and that are set.

    Args:
        text (str): Of the config and its bases.

    Returns:
        dict[str, str]: Values by name, in the order of the alphabet.
    """
    names = {*_READ.findall(text)}
    names |= {match.group(1) for match in _VARIABLE.finditer(text)}
    return {n: os.environ[n] for n in sorted(names) if os.environ.get(n)}


def _value(name: str, text: str | None) -> str | None:
    """Read a variable, unless it is empty or does not count."""
    if text is not None and not re.search(rf'\b{name}\b', text):
        return None
    return os.environ.get(name) or None


def _is_count(value: str, least: int) -> bool:
    try:
        return int(value) >= least
    except ValueError:
        return False


@contextmanager
def environment_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def fill_variables(filename: str, temp_config_name: str) -> dict[str, str]:
    """Put variables into the text of a config as values.

    Stands in for mmengine's substitution, which pastes what a variable holds
    into the source: a quote or a backslash in a path breaks it, and code in a
    variable runs.

    Args:
        filename (str): The config, of the suffix that tells its format.
        temp_config_name (str): The file to write.

    Returns:
        dict[str, str]: The variables that are set.

    Raises:
        UserInputError: If a variable has no value, or its value cannot be
            written where it stands.
    """
    text = Path(filename).read_text(encoding='utf-8')
    values: dict[str, str] = {}

    def token(match: re.Match[str]) -> str:
        name, default = match.groups()
        value = os.environ.get(name, '')
        if not (value or default):
            raise UserInputError(
                f'The config reads ${name}, which is not set and has no '
                f'default. Set it with `export {name}=...`.'
            )
        if not value:
            return default
        if name not in values:
            values[name] = value
        return _TOKEN.format(list(values).index(name))

    # Put tokens into the text, then values in place of the tokens.
    text = _VARIABLE.sub(token, text)
    fill = _fill_python if filename.endswith('.py') else _fill_data
    Path(temp_config_name).write_text(
        fill(text, values, filename) if values else text, encoding='utf-8'
    )
    return values


def _fill_data(text: str, values: dict[str, str], filename: str) -> str:
    """Fill JSON or YAML."""
    for number, (name, value) in enumerate(values.items()):
        if filename.endswith('.json'):
            value = json.dumps(value)[1:-1]
            # Not `{{`, which mmengine's reader would look into.
            value = value.replace('{', '\\u007b').replace('}', '\\u007d')
        elif not _PLAIN.fullmatch(value):
            _refuse(name, value)
        text = text.replace(_TOKEN.format(number), value)
    return text


def _fill_python(text: str, values: dict[str, str], filename: str) -> str:
    """Fill Python: in strings with escapes, elsewhere as literals.

    The filled text is parsed and compared with the parsed tokens, so that
    nothing but values of strings and literals can have changed.
    """
    # Replace the tokens in the syntax tree: what is wanted.
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text  # mmengine's reader says where
    filler = _Filler(values)
    wanted = ast.dump(filler.visit(tree))
    # Replace them in the text.
    for number, (name, value) in enumerate(values.items()):
        token = _TOKEN.format(number)
        literal = filler.literals.get(token)
        text = text.replace(token, literal or _escaped(value))
        if '{{' in (literal or ''):
            _refuse(name, value)
    # See that the text now means what is wanted.
    try:
        found = ast.dump(ast.parse(text))
    except SyntaxError:
        found = ''
    if found != wanted:
        _refuse(*next(iter(values.items())))
    return text


class _Filler(ast.NodeTransformer):
    """Replaces tokens in a syntax tree by values."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = {
            _TOKEN.format(number): item
            for number, item in enumerate(values.items())
        }
        self.literals: dict[str, str] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """Replace tokens in a string."""
        if isinstance(node.value, str):
            for token, (_, value) in self.values.items():
                node.value = node.value.replace(token, value)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a token that stands alone, such as a number."""
        if node.id not in self.values:
            return node
        name, value = self.values[node.id]
        try:
            literal = ascii(ast.literal_eval(value))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            _refuse(name, value)
        self.literals[node.id] = literal
        return ast.parse(literal, mode='eval').body


def _escaped(value: str) -> str:
    """Escape text for any string literal that is not raw."""
    return ''.join(
        character
        if ' ' <= character <= '~' and character not in '\'"\\{}'
        else f'\\U{ord(character):08x}'
        for character in value
    )


def _refuse(name: str, value: str) -> None:
    raise UserInputError(
        f'The config puts ${name} where its value {value!r} cannot be written.'
        f" In Python configs read it as os.environ['{name}'] instead, or "
        'choose a simpler value.'
    )
