# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""PartWorld, and small models, for tests and demonstrations."""
