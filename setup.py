# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Packaging by ``setup.py``; all settings are in pyproject.toml."""

from setuptools import setup

setup()
