# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The version, readable without importing the package."""

__all__ = ['__version__']

__version__ = '0.2.0'
