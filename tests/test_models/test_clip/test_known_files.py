# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Published files of CLIP: their checksums, and files that claim a name."""

from hashlib import sha256
from pathlib import Path

import open_clip
import pytest

from mmfmwsss.models.clip import known_files
from mmfmwsss.models.clip.known_files import (
    KNOWN_FILES,
    check_known_file,
    is_published,
)
from mmfmwsss.utils import UserInputError

HASH = sha256(b'weights').hexdigest()


def test_checksums_are_those_in_open_clips_table() -> None:
    urls = {
        url.split('/')[-1]: url
        for model, tag in open_clip.list_pretrained()
        if (url := open_clip.get_pretrained_url(model, tag))
    }
    for name, checksum in KNOWN_FILES.items():
        if name in urls:  # open_clip may drop old ones
            assert checksum in urls[name]
    assert KNOWN_FILES['ViT-B-16.pt'].startswith('5806e77cd80f8b59890b7e101')


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, and a table of three published ones."""
    monkeypatch.setattr(
        known_files,
        'KNOWN_FILES',
        {'whole.pt': HASH, 'start.pt': HASH[:8], 'other.pt': '0' * 64},
    )
    path = tmp_path / 'mine.pt'
    path.write_bytes(b'weights')
    return path


@pytest.mark.parametrize('name', ['mine.pt', 'whole.pt', 'start.pt'])
def test_names_that_fit(name: str, file: Path) -> None:
    check_known_file(file.rename(file.with_name(name)))


@pytest.mark.parametrize('name', ['whole.pt', 'start.pt', 'other.pt'])
def test_names_with_other_content(name: str, file: Path) -> None:
    file.write_bytes(b'weightz')
    renamed = file.rename(file.with_name(name))
    with pytest.raises(UserInputError, match=f'published {name}.*7 bytes'):
        check_known_file(renamed)


def test_the_content_is_published_under_any_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_published(file)
    # Eight digits of a hash are too few to trust a program
    monkeypatch.setattr(known_files, 'KNOWN_FILES', {'start.pt': HASH[:8]})
    assert not is_published(file)
