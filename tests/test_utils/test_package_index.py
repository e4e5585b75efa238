# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Where pip is told to look for packages."""

from mmfmwsss.utils.package_index import PipIndex


def test_pips_settings() -> None:
    index = PipIndex(
        {
            'global.index-url': 'https://one/simple',
            ':env:.index-url': 'https://me:secret@two/simple',
            'global.extra-index-url': 'file:///a file:///b',
        }
    )
    assert index.urls == [
        'https://me:secret@two/simple', 'file:///a', 'file:///b',
    ]  # fmt: skip
    assert PipIndex({}).urls == ['https://pypi.org/simple']
