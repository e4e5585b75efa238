# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Packaging by ``setup.py``; all settings are in pyproject.toml.

The wheel carries configs and tools in ``mmfmwsss/.mim``, where mmengine and
mim look for those of a package. In a checkout links stand there.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = ('configs', 'tools', 'model-index.yml')


class BuildWithConfigs(build_py):
    """Copy configs and tools beside the modules."""

    def run(self) -> None:
        """Build as usual, then copy; an editable install has the links."""
        super().run()
        if self.editable_mode:
            return
        # Drop what an earlier build has left
        folder = Path(self.build_lib, 'mmfmwsss', '.mim')
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # Copy what is there
        unwanted = shutil.ignore_patterns('__pycache__', '*.py[cod]')
        for name in CARRIED:
            if Path(name).is_dir():
                shutil.copytree(name, folder / name, ignore=unwanted)
            else:
                shutil.copy(name, folder)


setup(cmdclass={'build_py': BuildWithConfigs})
