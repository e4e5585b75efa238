# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The explain command."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

PATH = Path(__file__).parents[2] / 'tools' / 'explain.py'
SPEC = importlib.util.spec_from_file_location('explain_tool', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


@pytest.fixture
def files(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / 'a.png')
    cam = np.zeros((15, 20), np.float32)
    cam[2:8, 2:8] = 1
    np.save(tmp_path / 'a.npy', {1: cam, 0: cam[::-1]}, allow_pickle=True)
    masks = torch.zeros(2, 30, 40, dtype=torch.bool)
    masks[0, 4:16, 4:16] = True
    masks[1, 20:, 20:] = True
    SAMMasks(masks, torch.tensor([2, 0]), torch.ones(2), torch.ones(2)).save(
        tmp_path / 'a.json'
    )
    (tmp_path / 'names.txt').write_text('dog\ncat\n')
    return tmp_path


def run(files, *more):
    names = [str(files / name) for name in ('a.png', 'a.npy', 'a.json')]
    out = ['--out', str(files / 'out' / 'a'), '--format', 'npy']
    return tool.main([*names, *out, *more])


def test_writes_both(files):
    assert run(files, '--classes', str(files / 'names.txt')) == 0
    table = (files / 'out' / 'a.md').read_text()
    assert '| background | cat | dog | decision |' in table
    assert '| 0 | whole | 144 |' in table
    with Image.open(files / 'out' / 'a.png') as picture:
        assert picture.mode == 'RGB' and picture.width > 4 * 320


def test_without_names_and_with_options(files):
    assert run(files, '--seeder-options', 'alpha=0.0', '--cell', '50') == 0
    table = (files / 'out' / 'a.md').read_text()
    assert 'class 1 | class 0' in table
    rows = [line for line in table.split('\n') if line.startswith('| ')][2:]
    assert len(rows) == 2
    assert all(row.endswith('background |') for row in rows)
    assert 'to the power 0, and' in table and 'cover 28.7% of' in table


def test_checks(files):
    (files / 'short.txt').write_text('dog\n')
    with pytest.raises(UserInputError, match='a name for class 1'):
        run(files, '--classes', str(files / 'short.txt'))
    with pytest.raises(UserInputError, match='do not fit SAMS'):
        run(files, '--seeder-options', 'beta=1')
    (files / 'a.png').unlink()
    with pytest.raises(UserInputError, match='Expected a picture'):
        run(files)


def test_a_photo_alone_is_explained_and_kept(files, partworld_root):
    """The files that it keeps give the same picture and the same table."""
    line = (partworld_root / 'image_labels.txt').read_text().split('\n')[0]
    name, *tags = line.split()
    photo = str(partworld_root / f'JPEGImages/{name}.jpg')
    out = files / 'out' / 'alone'
    alone = [photo, '--tags', *tags, '--model', 'tiny', '--out', str(out)]
    assert tool.main(alone) == 0
    first = out.with_suffix('.md').read_text()
    assert f'| background | {" | ".join(tags)} | decision |' in first
    (files / 'tags.txt').write_text('\n'.join(tags))
    again = [
        *(photo, f'{out}_cams.npy', f'{out}_masks.json', '--format', 'npy'),
        *('--classes', str(files / 'tags.txt'), '--out', f'{out}_again'),
    ]
    assert tool.main(again) == 0
    second = Path(f'{out}_again.md').read_text()
    assert second == first
    with Image.open(f'{out}.png') as a, Image.open(f'{out}_again.png') as b:
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['a.jpg', 'a.npy'], 'go together'),
        (['a.jpg', '--format', 'npy'], 'go together'),
        (
            ['a.jpg', 'a.npy', 'a.json', '--format', 'npy', '--tags', 'cat'],
            '--tags are for a photo alone',
        ),
    ],
)
def test_half_of_the_files_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        tool.parse_args([*arguments, '--out', 'x'])
    assert message in capsys.readouterr().err
