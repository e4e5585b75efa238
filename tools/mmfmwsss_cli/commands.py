# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The names of the tools as commands, and where the tools are."""

import importlib.util
import re
from pathlib import Path

__all__ = ['COMMANDS', 'find_package', 'find_tools', 'in_own_words', 'summary']

# Name of a command -> its tool, in the order of the work.
COMMANDS = {
    'doctor': 'doctor.py',
    'demo': 'demo.py',
    'app': 'app.py',
    'weights': 'get_weights.py',
    'partworld': 'partworld/make_dataset.py',
    'voc-aug': 'dataset_converters/voc_aug.py',
    'coco14': 'dataset_converters/coco14.py',
    'labels-from-masks': 'dataset_converters/labels_from_masks.py',
    'check-data': 'check_dataset.py',
    'pipeline': 'run_pipeline.py',
    'train': 'train.py',
    'test': 'test.py',
    'masks': 'import_masks.py',
    'seeds': 'seed_from_cams.py',
    'explain': 'explain.py',
    'oracle-alpha': 'oracle_alpha.py',
    'report': 'make_report.py',
    'tables': 'reproduce_tables.py',
}
_NAMES = {tool: name for name, tool in COMMANDS.items()}
_TOOL = re.compile(r'(?:\bpython +)?(?<![\w/])tools/([\w/]+\.py)')
_CONFIG = re.compile(r'(?<![\w/.-])configs/(fmwsss/)')
_SUMMARY = re.compile(r'^"""(.+?)(?:"""|$)', re.M)


def find_package() -> Path | None:
    """Find the folder of the package, without importing it.

    Returns:
        Path | None: None where it is not installed.
    """
    spec = importlib.util.find_spec('mmfmwsss')
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).resolve().parent


def find_tools(package: Path) -> Path | None:
    """Find the tools: of the checkout, or those that the wheel carries.

    Returns:
        Path | None: None where the package has lost them.
    """
    for folder in (package / '.mim' / 'tools', package.parent / 'tools'):
        if (folder / 'arguments.py').is_file():
            return folder.resolve()
    return None


def summary(tool: Path) -> str:
    """Read the first sentence of a tool's docstring."""
    found = _SUMMARY.search(tool.read_text(encoding='utf-8'))
    return found[1].strip() if found else ''


def in_own_words(text: str) -> str:
    """Write the commands and configs of a checkout as this command has them.

    ``python tools/train.py configs/fmwsss/voc_prompt.py`` becomes
    ``mmfmwsss train fmwsss/voc_prompt.py``. A tool that is no command stays.
    """
    text = _TOOL.sub(_own_name, text)
    return _CONFIG.sub(r'\1', text)


def _own_name(found: re.Match[str]) -> str:
    name = _NAMES.get(found[1])
    return found[0] if name is None else f'mmfmwsss {name}'
