# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The hooks of the site lie beside each other, and find each other there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / 'docs' / 'hooks'))
