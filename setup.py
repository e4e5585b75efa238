# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Packaging; all settings of tools are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent


def read(name: str) -> str:
    """Text of a file of the repository; empty if it is not there."""
    file = HERE / name
    return file.read_text(encoding='utf-8') if file.is_file() else ''


def requirements(name: str) -> list[str]:
    """The requirements in ``requirements/NAME.txt``, without comments."""
    lines = (
        line.split('#')[0].strip()
        for line in read(f'requirements/{name}.txt').splitlines()
    )
    return [line for line in lines if line]


def version() -> str:
    """The version, read without importing the package and its torch."""
    found = re.search(r"__version__ = '(.+)'", read('mmfmwsss/version.py'))
    if found is None:
        raise RuntimeError('mmfmwsss/version.py has no __version__')
    return found[1]


setup(
    name='mmfmwsss',
    version=version(),
    description='Image-level labels to segmentation with CLIP and SAM, '
    'inside MMSegmentation',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='weakly supervised semantic segmentation, CLIP, SAM, mmseg',
    packages=find_packages(include=['mmfmwsss', 'mmfmwsss.*']),
    package_data={
        'mmfmwsss': [
            'assets/*',
            'assets/**/*',
            'workshop/report/templates/*',
        ]
    },
    python_requires='>=3.10',
    # No mm packages: an environment has one of two sets (requirements/README).
    install_requires=requirements('runtime'),
    extras_require={
        'mm': requirements('mminstall'),
        'openmmlab': requirements('openmmlab'),
        'optional': requirements('optional'),
        'tests': requirements('tests'),
    },
    zip_safe=False,
)
