# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The command ``mmfmwsss``: the tools, without a checkout.

Lies outside of the package and needs the standard library only, so that help
and slips are answered before torch is imported.
"""

from .commands import COMMANDS, in_own_words
from .main import main

__all__ = ['COMMANDS', 'in_own_words', 'main']
