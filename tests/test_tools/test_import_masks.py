# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Masks of segment_anything's tools become our mask files."""

import csv
import importlib.util
import inspect
import json
import logging
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import cv2
import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from pycocotools import mask as coco_mask

from mmfmwsss.models.masks import filter_by_occupation
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

PATH = Path(__file__).parents[2] / 'tools' / 'import_masks.py'
SPEC = importlib.util.spec_from_file_location('import_masks', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)

SIZE = (20, 30)


@pytest.fixture
def messages(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    caplog.set_level(logging.INFO)
    yield caplog
    logger.removeHandler(caplog.handler)


def boxes():
    """A box, one half of it, and a box of its own."""
    masks = np.zeros((3, *SIZE), bool)
    masks[0, 2:12, 2:12] = True
    masks[1, 2:12, 2:7] = True
    masks[2, 10:18, 15:28] = True
    return masks


def chain():
    """A whole, a part of it with a rim outside, that rim, one of its own.

    Areas 100, 66, 6 and 40. Of the part 60 / 66 = 0.91 lie in the whole; the
    rim lies in the part alone.
    """
    masks = np.zeros((4, *SIZE), bool)
    masks[0, :10, :10] = True
    masks[1, :10, 4:10] = True
    masks[1, :6, 10] = True
    masks[2, :6, 10] = True
    masks[3, 12:20, 20:25] = True
    return masks


def write_json(folder, name, masks, levels=None):
    records = []
    for number, mask in enumerate(masks):
        rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        rle['counts'] = rle['counts'].decode()
        records.append(
            dict(
                segmentation=rle,
                area=int(mask.sum()),
                predicted_iou=0.9,
                stability_score=0.95,
            )
        )
        if levels is not None:
            records[-1]['level'] = levels[number]
    (folder / f'{name}.json').write_text(json.dumps(records))


def write_folder(folder, name, masks, levels=None):
    (folder / name).mkdir(exist_ok=True)
    titles = ['id', 'area', 'predicted_iou', 'stability_score']
    titles += [] if levels is None else ['level']
    with (folder / name / 'metadata.csv').open('w', newline='') as file:
        table = csv.writer(file)
        table.writerow(titles)
        for number, mask in enumerate(masks):
            more = [] if levels is None else [levels[number]]
            table.writerow([number, mask.sum(), 0.9, 0.95, *more])
            picture = mask.astype(np.uint8) * 255
            cv2.imwrite(str(folder / name / f'{number}.png'), picture)


class World(NamedTuple):
    root: Path
    format: str
    write: Callable

    def __truediv__(self, name):
        return self.root / name


@pytest.fixture(params=['json', 'folder'])
def world(request, tmp_path):
    """Masks of two images, in either format, and pictures."""
    write = dict(json=write_json, folder=write_folder)[request.param]
    (tmp_path / 'source').mkdir()
    (tmp_path / 'images').mkdir()
    for name in 'ab':
        write(tmp_path / 'source', name, boxes())
        picture = np.zeros((*SIZE, 3), np.uint8)
        cv2.imwrite(str(tmp_path / 'images' / f'{name}.jpg'), picture)
    return World(tmp_path, request.param, write)


def run(world, *more):
    arguments = [world / 'source', '--format', world.format]
    arguments += ['--out', world / 'out', *more]
    return tool.main([str(value) for value in arguments])


def test_imports(world, messages):
    # what is left of an earlier write that was cut off
    (world / 'source' / '.c.x.json').write_text('[')
    assert run(world, '--images', world / 'images') == 0
    names = sorted(path.name for path in (world / 'out').iterdir())
    assert names == ['a.json', 'b.json']
    masks = SAMMasks.load(world / 'out' / 'a.json')
    np.testing.assert_array_equal(masks.masks.numpy(), boxes())
    assert masks.levels.tolist() == [2, 2, 2]
    assert masks.stability_score.tolist() == pytest.approx([0.95] * 3)
    assert 'done 2, skipped 0, failed 0' in messages.text
    assert 'masks_per_image 3.0, masks_whole 6' in messages.text


def test_levels_and_filter(world):
    assert run(world, '--nesting', '--occupation-threshold', 0.3) == 0
    found = SAMMasks.load(world / 'out' / 'b.json')
    masks = SAMMasks(
        torch.from_numpy(boxes()),
        torch.tensor([2, 1, 2]),
        torch.ones(3),
        torch.ones(3),
    )
    expected = filter_by_occupation(masks, 0.3)
    assert len(expected) == 2
    assert torch.equal(found.masks, expected.masks)
    assert run(world, '--level', 0) == 0
    found = SAMMasks.load(world / 'out' / 'b.json')
    assert found.levels.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ('options', 'kept', 'levels'),
    [
        # The part is taken by the whole; the rim is not.
        ([], [0, 2, 3], [2, 0, 2]),
        (['--occupation-threshold', 0.3], [0, 2, 3], [2, 0, 2]),
        # 0.91 of the part are taken: less than 0.95, so it stays, and takes
        # all of the rim.
        (['--occupation-threshold', 0.95], [0, 1, 3], [2, 1, 2]),
        (['--no-filter'], [0, 1, 2, 3], [2, 1, 0, 2]),
    ],
)
def test_guessed_levels_are_filtered_by_default(world, options, kept, levels):
    world.write(world / 'source', 'a', chain())
    assert run(world, '--nesting', *options) == 0
    found = SAMMasks.load(world / 'out' / 'a.json')
    np.testing.assert_array_equal(found.masks.numpy(), chain()[kept])
    assert found.levels.tolist() == levels


def test_the_default_is_that_of_the_filter(world):
    parameters = inspect.signature(filter_by_occupation).parameters
    assert parameters['threshold'].default == tool.T_R


def test_levels_of_the_source_are_filtered_on_request(world, messages):
    for name in 'ab':
        world.write(world / 'source', name, boxes(), levels=[2, 1, 2])
    assert run(world) == 0
    found = SAMMasks.load(world / 'out' / 'a.json')
    assert found.levels.tolist() == [2, 1, 2]
    assert run(world, '--occupation-threshold', 0.3) == 0
    assert 'done 2, skipped 0, failed 0' in messages.text
    found = SAMMasks.load(world / 'out' / 'a.json')
    np.testing.assert_array_equal(found.masks.numpy(), boxes()[[0, 2]])


@pytest.mark.parametrize('options', [[], ['--level', 1]])
def test_a_filter_without_levels_is_refused(world, options):
    with pytest.raises(UserInputError, match='Give --nesting') as refused:
        run(world, '--occupation-threshold', 0.3, *options)
    assert '\n' not in str(refused.value)
    assert not list((world / 'out').glob('*.json'))


def test_a_filter_is_not_asked_for_and_left_out(world, capsys):
    with pytest.raises(SystemExit):
        run(world, '--occupation-threshold', 0.3, '--no-filter')
    assert 'not allowed with' in capsys.readouterr().err


def test_resumes(world, messages):
    (world / 'list.txt').write_text('a\n')
    assert run(world, '--list', world / 'list.txt') == 0
    before = (world / 'out' / 'a.json').stat().st_mtime_ns
    assert run(world) == 0
    assert 'done 1, skipped 1, failed 0' in messages.text
    assert (world / 'out' / 'a.json').stat().st_mtime_ns == before
    (world / 'out' / 'a.json').write_text('{"format": "mmfm')
    assert run(world, '--nesting') == 0
    assert 'done 2, skipped 0, failed 0' in messages.text


def test_broken_input_is_listed_and_the_rest_done(world, messages):
    file = 'b.json' if world.format == 'json' else 'b/metadata.csv'
    path = world / 'source' / file
    path.write_bytes(path.read_bytes()[:-30])
    if world.format == 'folder':
        (world / 'source' / 'b' / '0.png').write_bytes(b'not a picture')
    assert run(world) == 1
    assert '1 of 2 images failed' in messages.text
    assert re.search(r'\n  .*/b\b.*amg\.py', messages.text)
    assert [path.name for path in (world / 'out').iterdir()] == ['a.json']


def test_sizes_are_those_of_the_pictures(world, messages):
    cv2.imwrite(str(world / 'images' / 'a.jpg'), np.zeros((8, 9, 3), np.uint8))
    (world / 'images' / 'b.jpg').unlink()
    assert run(world, '--images', world / 'images') == 1
    assert 'must be of the image, (8, 9)' in messages.text
    assert 'Expected a picture' in messages.text


def test_an_image_without_masks_needs_its_picture(world, messages):
    if world.format == 'folder':
        shutil.rmtree(world / 'source' / 'a')
    world.write(world / 'source', 'a', boxes()[:0])
    assert run(world) == 1
    assert 'the (H, W) of the image' in messages.text
    assert run(world, '--images', world / 'images') == 0
    assert SAMMasks.load(world / 'out' / 'a.json').size == SIZE


def test_checks(world):
    with pytest.raises(UserInputError, match='is SOURCE itself'):
        run(world, '--out', world / 'source')
    other = {'json': 'folder', 'folder': 'json'}[world.format]
    with pytest.raises(UserInputError, match='got none'):
        run(world, '--format', other)


def source_of(world, name):
    if world.format == 'json':
        return world / 'source' / f'{name}.json'
    return world / 'source' / name


def test_changed_sources_are_imported_again(world, messages):
    assert run(world) == 0
    if world.format == 'folder':
        shutil.rmtree(source_of(world, 'b'))
    fewer = boxes()[1:]
    world.write(world / 'source', 'b', fewer)
    assert run(world) == 0
    assert 'done 1, skipped 1, failed 0' in messages.text
    masks = SAMMasks.load(world / 'out' / 'b.json').masks
    np.testing.assert_array_equal(masks.numpy(), fewer)


def test_edited_imports_are_made_again(world, messages):
    assert run(world) == 0
    path = world / 'out' / 'a.json'
    whole = path.read_text()
    path.write_text(whole.replace('"level": 2', '"level": 0'))
    assert run(world) == 0
    assert 'done 1, skipped 1, failed 0' in messages.text
    assert path.read_text() == whole


@pytest.mark.parametrize('error', [RecursionError, MemoryError, struct.error])
def test_whatever_one_file_raises_the_rest_is_done(
    world, messages, monkeypatch, error
):
    read = tool.READERS[world.format]

    def fail_on_a(file, *arguments):
        if file.stem == 'a':
            raise error('too much')
        return read(file, *arguments)

    monkeypatch.setitem(tool.READERS, world.format, fail_on_a)
    assert run(world) == 1
    assert '1 of 2 images failed' in messages.text
    assert f'a: {error.__name__}: too much' in messages.text
    assert [path.name for path in (world / 'out').iterdir()] == ['b.json']


def test_one_run_at_a_time(world):
    with (
        mock.patch(
            'mmfmwsss.utils.folder_lock._lock', side_effect=BlockingIOError
        ),
        pytest.raises(UserInputError, match='another process'),
    ):
        run(world)
