# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""``python -m mmfmwsss_cli``, which launchers such as torchrun take."""

from .main import main

if __name__ == '__main__':
    main()
