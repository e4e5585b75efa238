# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read configs: a variable's text is a value, and an error is one line."""

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import mmengine
import mmengine.config.config as mmengine_config
from mmengine.config import Config
from mmengine.logging import print_log

from .config_variables import (
    check_variables,
    environment_set,
    fill_variables,
)
from .custom_models import CUSTOM_MODELS, choose_custom_models
from .errors import UserInputError, nearby_files
from .shipped_files import find_shipped_config
from .text_files import read_json, read_yaml

__all__ = ['read_config']

# In mmengine's messages: the copy of a config that it parses.
_COPY = re.compile(r'\S*/tmp\w+/tmp\w+\.(py|json|ya?ml)')


def read_config(
    path: str | Path, imports: bool = True, dumped: bool = False
) -> Config:
    """Read a config of the text kind, or of mmengine's lazy kind.

    As ``Config.fromfile``, but ``{{$NAME:default}}`` puts the variable in as
    a value, whatever quotes, backslashes or line ends it has, and YAML cannot
    make objects. Where a config reads ``$CUSTOM_MODELS``, which is not set,
    they are chosen by the weights that are there, and the log says so.

    Args:
        path (str | Path): The file; or the name of one that comes with the
            package, such as ``fmwsss/voc_prompt.py``.
        imports (bool): Whether to import its ``custom_imports``.
        dumped (bool): Whether a run wrote it: all of its text is values then,
            ``{{`` too.

    Raises:
        UserInputError: If it is not there or cannot be read, or a variable
            that it reads has a value that is not allowed.
    """
    path = _find_config(path)
    config = _read(path, imports, dumped)
    # Read it with other models where own photos need them.
    choice = None if dumped else choose_custom_models(config.text)
    if choice is not None:
        print_log(choice.reason, logger='current', level=logging.INFO)
        with environment_set({CUSTOM_MODELS: choice.models}):
            config = _read(path, imports, dumped)
    return config


def _read(path: Path, imports: bool, dumped: bool) -> Config:
    """Let mmengine read it, with our variables and our YAML."""
    try:
        with _safe_mmengine(dumped):
            config = Config.fromfile(
                path,
                import_custom_modules=imports,
                use_predefined_variables=not dumped,
                use_environment_variables=not dumped,
            )
    except UserInputError:
        raise
    except Exception as error:  # a config is code, and may raise anything
        check_variables()
        raise UserInputError(_reason(path, error)) from error
    # Check the variables that it does read.
    check_variables(config.text)
    return config


def _find_config(path: str | Path) -> Path:
    """Take a file, or else the config of that name in the package."""
    if Path(path).is_file():
        return Path(path)
    shipped = find_shipped_config(path)
    if shipped is None:
        raise UserInputError(
            f'Expected a config file, but {path} is not there.'
            f'{nearby_files(path)} The configs of this project are in '
            'configs/fmwsss.'
        )
    print_log(
        f'{path} is no file here; {shipped} is taken, which comes with the '
        'package.',
        logger='current',
        level=logging.INFO,
    )
    return shipped


@contextmanager
def _safe_mmengine(dumped: bool) -> Iterator[None]:
    """Lend mmengine's reader our substitution and a YAML without objects."""
    with ExitStack() as loans:
        loans.enter_context(_lend(mmengine, 'load', _load))
        loans.enter_context(_lend(mmengine_config, 'load', _load))
        # Take the text of a dumped config as it is, braces too.
        for name, function in (
            ('_substitute_env_variables', fill_variables),
            ('_pre_substitute_base_vars', _copy_text if dumped else None),
        ):
            if function is not None:
                stand_in = staticmethod(function)
                loans.enter_context(_lend(Config, name, stand_in))
        yield


@contextmanager
def _lend(owner: Any, name: str, stand_in: Any) -> Iterator[None]:
    """Set an attribute, and put the old one back."""
    before = vars(owner)[name]
    setattr(owner, name, stand_in)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _copy_text(filename: str, temp_config_name: str) -> dict[str, str]:
    """Stand in for mmengine's look for variables of bases: there is none."""
    text = Path(filename).read_text(encoding='utf-8')
    Path(temp_config_name).write_text(text, encoding='utf-8')
    return {}


def _load(file: str) -> Any:
    """Read the content of a JSON or YAML config."""
    try:
        content = (read_json if file.endswith('.json') else read_yaml)(file)
    except UserInputError as error:
        raise ValueError(str(error)) from error  # `file` is a copy
    if not isinstance(content, dict):
        raise TypeError(
            f'expected settings by name, got a {type(content).__name__}'
        )
    return content


def _reason(path: Path, error: Exception) -> str:
    """Say in one line why a config, or a base of it, cannot be read."""
    # Find the first cause, and its first line.
    first: BaseException = error
    while isinstance(first, ImportError) and first.__context__ is not None:
        first = first.__context__  # below mmengine's list of all paths
    text = str(first).strip() or type(error).__name__
    text = _COPY.sub('it', text.splitlines()[0])
    if not isinstance(error, SyntaxError | ImportError | OSError):
        text = f'{type(error).__name__}: {text}'
    # Show the line that is to be corrected.
    file, line = _place(path, error)
    if isinstance(error, SyntaxError):
        text = f'it is not Python: {error.msg}' if error.lineno else text
        line = error.lineno or 0
    where = f'{file}, line {line}' if line else str(file)
    shown = _line_of(file, line)
    return (
        f'Expected a config in {where}{shown}, but it cannot be read ({text}).'
        ' Correct it there.'
    )


def _place(path: Path, error: Exception) -> tuple[Path, int]:
    """Find file and line that raised; line 0 where mmengine itself did."""
    file, line = path, 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        # Follow the bases that mmengine opens, and lines of the config.
        code = frame.f_code
        name = frame.f_locals.get('filename')
        if code.co_name in ('_file2dict', '_is_lazy_import') and name:
            if Path(name).is_file():  # a base that is not there has no text
                file, line = Path(name), 0
        elif Path(code.co_filename) == file.absolute():
            line = number
    # Name the file as the user would.
    try:
        return file.relative_to(Path.cwd()), line
    except ValueError:
        return file, line


def _line_of(file: Path, line: int) -> str:
    try:
        lines = file.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError):
        return ''
    return f', `{lines[line - 1].strip()}`' if 0 < line <= len(lines) else ''
