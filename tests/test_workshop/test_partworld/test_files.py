# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""PartWorld on disk: layout, determinism, resuming."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mmfmwsss  # noqa: F401  readies mmcv
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.partworld import PALETTE, render_scene
from mmfmwsss.workshop.partworld.files import PartWorldRecord, write_partworld

RECORD = PartWorldRecord(seed=7, train=5, val=2)


def _content(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob('*'))
        if path.is_file()
    }


def test_layout(tmp_path):
    assert write_partworld(tmp_path, RECORD) == 7
    train = (tmp_path / 'ImageSets/train.txt').read_text().split()
    val = (tmp_path / 'ImageSets/val.txt').read_text().split()
    assert train == [f'train_{i:04d}' for i in range(5)]
    assert val == ['val_0000', 'val_0001']
    labels = (tmp_path / 'image_labels.txt').read_text().splitlines()
    assert [line.split()[0] for line in labels] == train + val
    record = json.loads((tmp_path / 'partworld.json').read_text())
    assert (record['seed'], record['train'], record['val']) == (7, 5, 2)
    scene = render_scene(7, 1001)
    truth = tmp_path / 'SegmentationClass/val_0001.png'
    assert (read_label_png(truth) == scene.semantic_map()).all()
    with Image.open(truth) as picture:
        assert picture.getpalette()[:6] == PALETTE[0] + PALETTE[1]
    with Image.open(tmp_path / 'JPEGImages/val_0001.jpg') as picture:
        pixels = np.asarray(picture).astype(int)
    assert np.abs(pixels - scene.image).mean() < 8


def test_same_seed_same_files_whatever_the_workers(tmp_path):
    write_partworld(tmp_path / 'a', RECORD)
    write_partworld(tmp_path / 'b', RECORD, workers=2)
    assert _content(tmp_path / 'a') == _content(tmp_path / 'b')


def test_val_does_not_depend_on_the_number_of_training_pictures(tmp_path):
    write_partworld(tmp_path / 'a', RECORD)
    write_partworld(tmp_path / 'b', PartWorldRecord(seed=7, train=1, val=2))
    name = 'JPEGImages/val_0001.jpg'
    assert _content(tmp_path / 'a')[name] == _content(tmp_path / 'b')[name]


def test_only_what_is_missing_is_drawn(tmp_path):
    def stop_after_three(drawn, total):
        for number, item in enumerate(drawn):
            if number == 3:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        write_partworld(tmp_path / 'a', RECORD, progress=stop_after_three)
    assert write_partworld(tmp_path / 'a', RECORD) == 4
    (tmp_path / 'a' / 'JPEGImages/train_0002.jpg').unlink()
    assert write_partworld(tmp_path / 'a', RECORD) == 1
    assert write_partworld(tmp_path / 'a', RECORD) == 0
    more = PartWorldRecord(seed=7, train=6, val=2)
    assert write_partworld(tmp_path / 'a', more) == 1
    write_partworld(tmp_path / 'b', more)
    assert _content(tmp_path / 'a') == _content(tmp_path / 'b')


def test_refusals(tmp_path):
    write_partworld(tmp_path, PartWorldRecord(seed=7, train=1, val=0))
    with pytest.raises(UserInputError, match='it is of seed 7'):
        write_partworld(tmp_path, PartWorldRecord(seed=8, train=1, val=0))
    with pytest.raises(UserInputError, match='0 to 1000 training'):
        write_partworld(tmp_path, PartWorldRecord(seed=7, train=1001, val=0))
    (tmp_path / 'partworld.json').write_text('{}')
    with pytest.raises(UserInputError, match='could not read it'):
        write_partworld(tmp_path, RECORD)


KILLED = """
import os, sys
from mmfmwsss.workshop.partworld.files import PartWorldRecord, write_partworld

def die_after_three(drawn, total):
    for number, item in enumerate(drawn):
        yield item
        if number == 2:
            os.kill(os.getpid(), 9)

write_partworld(
    sys.argv[1], PartWorldRecord(seed=7, train=5, val=2),
    progress=die_after_three,
)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    environment = os.environ | dict(PYTHONPATH=str(Path(__file__).parents[3]))
    command = [sys.executable, '-c', KILLED, str(tmp_path / 'a')]
    assert subprocess.run(command, env=environment, check=False).returncode < 0
    # a kill within a picture, and within a line of the journal
    half = tmp_path / 'a' / 'JPEGImages' / '.train_0003.x1y2.jpg'
    half.write_bytes(b'half')
    with (tmp_path / 'a' / 'drawn.txt').open('a') as journal:
        journal.write('train_0003 0123')
    assert write_partworld(tmp_path / 'a', RECORD) == 4
    write_partworld(tmp_path / 'b', RECORD)
    assert _content(tmp_path / 'a') == _content(tmp_path / 'b')


def test_changed_files_are_drawn_again(tmp_path):
    write_partworld(tmp_path, RECORD)
    before = _content(tmp_path)
    picture = tmp_path / 'JPEGImages/train_0002.jpg'
    picture.write_bytes((tmp_path / 'JPEGImages/train_0001.jpg').read_bytes())
    (tmp_path / 'SegmentationClass/val_0001.png').write_bytes(b'')
    (tmp_path / 'image_labels.txt').write_text('train_0000 car\n')
    assert write_partworld(tmp_path, RECORD) == 2
    assert _content(tmp_path) == before


def test_a_tree_of_an_earlier_release_is_drawn_again(tmp_path):
    write_partworld(tmp_path, RECORD)
    before = _content(tmp_path)
    (tmp_path / 'drawn.txt').unlink()
    assert write_partworld(tmp_path, RECORD) == 7
    assert _content(tmp_path) == before
