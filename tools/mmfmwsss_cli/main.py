# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read the name of a command, and run its tool."""

import contextlib
import difflib
import io
import re
import sys
import types
from pathlib import Path
from typing import NoReturn

from .commands import (
    COMMANDS,
    find_package,
    find_tools,
    in_own_words,
    summary,
)

__all__ = ['main']

_USAGE = 'usage: mmfmwsss COMMAND [ARGUMENTS]'
_EXAMPLES = """examples:
  mmfmwsss doctor
  mmfmwsss weights mobile_sam efficientnet_lite2
  mmfmwsss demo photo.jpg --tags cat sofa
  mmfmwsss partworld data/partworld
  mmfmwsss test fmwsss/partworld_sam_masks.py
  mmfmwsss train fmwsss/partworld_prompt.py
"""
_HELP = ('-h', '--help')


def main(arguments: list[str] | None = None) -> None:
    """Run a command; it ends the process as its tool does.

    Args:
        arguments (list[str], optional): Name and arguments of the command;
            default: those of the process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    package, tools = _find()
    # Answer what needs no tool
    if not words or words[0] in (*_HELP, 'help'):
        print(_overview(tools), end='')
        return
    name = words[0]
    if name == '--version':
        print(_version(package))
        return
    # Run the tool, or say which command is meant
    tool = tools / COMMANDS.get(name, '')
    if not tool.is_file():
        _fail(_unknown(name, tools))
    _run(name, tool, tools, words[1:])


def _find() -> tuple[Path, Path]:
    """Find the package and its tools, or end the process."""
    package = find_package()
    if package is None:
        _fail(
            'the package mmfmwsss is not installed for '
            f'{sys.executable}. Run `pip install` with its wheel or checkout.'
        )
    tools = find_tools(package)
    if tools is None:
        _fail(
            f'{package} has no tools beside it. Install it anew: '
            '`pip install --force-reinstall --no-deps` with its wheel or '
            'checkout.'
        )
    return package, tools


def _run(name: str, tool: Path, tools: Path, arguments: list[str]) -> None:
    # Let the tool find its arguments and the modules beside it
    sys.argv = [f'mmfmwsss {name}', *arguments]
    for folder in dict.fromkeys([tools, tool.parent]):
        sys.path.insert(0, str(folder))
    if not set(_HELP) & set(arguments):
        _execute(tool)
        return
    # Print its help, with the commands that are typed here
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text):
            _execute(tool)
    finally:
        print(in_own_words(text.getvalue()), end='')


def _execute(tool: Path) -> None:
    """Run a file as the main program; the name of the command stays."""
    module = types.ModuleType('__main__')
    module.__file__ = str(tool)
    sys.modules['__main__'] = module
    exec(compile(tool.read_bytes(), str(tool), 'exec'), vars(module))


def _overview(tools: Path) -> str:
    # List the commands of this release, each with its tool's own words
    lines = [
        f'  {name:<18} {summary(tools / tool)}'
        for name, tool in COMMANDS.items()
        if (tools / tool).is_file()
    ]
    # Say what all of them share
    return '\n'.join(
        [
            _USAGE,
            '',
            'From image-level labels to segmentation. The commands are:',
            '',
            *lines,
            '',
            '`mmfmwsss COMMAND --help` explains the arguments of each; '
            '`mmfmwsss --version`',
            'prints the version. A config is a file, or the name of one that '
            'comes with the',
            'package: fmwsss/partworld_prompt.py. Data and results are below '
            'the current folder.',
            '',
            _EXAMPLES,
        ]
    )


def _version(package: Path) -> str:
    """Read the version, without importing the package."""
    text = (package / 'version.py').read_text(encoding='utf-8')
    found = re.search(r"^__version__ = '(.+)'$", text, re.M)
    return found[1] if found else 'unknown'


def _unknown(name: str, tools: Path) -> str:
    there = [n for n, tool in COMMANDS.items() if (tools / tool).is_file()]
    close = difflib.get_close_matches(name, there, n=2, cutoff=0.5)
    meant = ' or '.join(f'`{match}`' for match in close)
    hint = f' Is {meant} meant?' if meant else ''
    return f'no command `{name}`.{hint} `mmfmwsss --help` lists them.'


def _fail(text: str) -> NoReturn:
    print(f'{_USAGE}\nmmfmwsss: error: {text}', file=sys.stderr)
    sys.exit(2)
