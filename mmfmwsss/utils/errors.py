# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The one exception for what a user can mend."""

__all__ = ['UserInputError']


class UserInputError(ValueError):
    """Data, weights or a config are not as expected, and the user can mend it.

    The message says what was expected, what was found (with a number and one
    example) and the command or edit that mends it. The command-line tools
    print it without a traceback.
    """
