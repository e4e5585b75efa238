# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SHA-256 of the CLIP files that OpenAI and open_clip publish."""

from pathlib import Path

from ...utils import UserInputError, sha256_of

__all__ = ['KNOWN_FILES', 'check_known_file', 'is_published']

# Name of a published ViT -> SHA-256, or its first digits where the publisher
# gives no more. From the addresses in open_clip's table of weights.
KNOWN_FILES = {
    'ViT-B-16.pt': (
        '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f'
    ),
    'ViT-B-32.pt': (
        '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af'
    ),
    'ViT-L-14.pt': (
        'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836'
    ),
    'ViT-L-14-336px.pt': (
        '3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02'
    ),
    'vit_b_16-laion400m_e31-00efa78f.pt': '00efa78f',
    'vit_b_16-laion400m_e32-55e67d44.pt': '55e67d44',
    'vit_b_16_plus_240-laion400m_e31-8fb26589.pt': '8fb26589',
    'vit_b_16_plus_240-laion400m_e32-699c4b84.pt': '699c4b84',
    'vit_b_32-laion2b_e16-af8dbd0c.pth': 'af8dbd0c',
    'vit_b_32-quickgelu-laion400m_e31-d867053b.pt': 'd867053b',
    'vit_b_32-quickgelu-laion400m_e32-46683a32.pt': '46683a32',
    'vit_l_14-laion400m_e31-69988bb6.pt': '69988bb6',
    'vit_l_14-laion400m_e32-3d133497.pt': '3d133497',
}


def is_published(path: Path) -> bool:
    """Tell if a file, of any name, is one that OpenAI published."""
    # A few digits of a checksum are no whole one, and trust nothing
    return sha256_of(path) in KNOWN_FILES.values()


def check_known_file(path: Path) -> None:
    """Refuse a file that has a published name but other content.

    Args:
        path (Path): A file of weights. One of any other name is accepted.

    Raises:
        UserInputError: If the checksum is not the published one.
    """
    expected = KNOWN_FILES.get(path.name)
    if expected is None:
        return
    # Compare as many digits as the publisher gives
    found = sha256_of(path)
    if not found.startswith(expected):
        raise UserInputError(
            f'Expected the published {path.name} with SHA-256 '
            f'{expected[:16]}... in {path}, but the file of '
            f'{path.stat().st_size:,} bytes has {found[:16]}... . Fetch it '
            f'again if the download broke off (`python tools/get_weights.py '
            f'--list` names those it has); rename it if it holds weights of '
            f'your own.'
        )
