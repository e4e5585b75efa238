# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What is current is left out, and any change makes it again."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmseg.structures import SegDataSample

from mmfmwsss.datasets.current_outputs import CurrentOutputs, digest_for_field
from mmfmwsss.utils.palette_png import write_palette_png


class Pictures:
    """A data set of three files."""

    metainfo = dict(classes=('background', 'cat'))

    def __init__(self, root: Path) -> None:
        self.records = []
        for number in range(3):
            path = root / f'p{number}.jpg'
            path.write_bytes(bytes([number]))
            self.records.append(
                dict(
                    img_path=str(path),
                    image_name=f'p{number}',
                    image_labels=np.array([True]),
                )
            )

    def __len__(self) -> int:
        return len(self.records)

    def get_data_info(self, index: int) -> dict[str, Any]:
        return self.records[index]

    def __getitem__(self, index: int) -> dict[str, Any]:
        return dict(data_samples=SegDataSample(), loaded=index)


@pytest.fixture
def world(tmp_path: Path) -> tuple[CurrentOutputs, Path]:
    data: Any = CurrentOutputs(Pictures(tmp_path))
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'masks' / 'p0.json').write_text('[]')
    expect(data, tmp_path)
    for index in range(2):  # p2 is not made yet
        made_of = data[index]['data_samples'].made_of
        for folder, field in (('fine', 'fine_seed'), ('raw', 'cam_seed')):
            write_palette_png(
                tmp_path / folder / f'p{index}.png',
                np.zeros((2, 2)),
                made_of=digest_for_field(made_of, field),
            )
    return data, tmp_path


def expect(data: CurrentOutputs, root: Path, settings: str = 'one') -> None:
    data.expect(
        settings,
        [(str(root / 'fine'), 'fine_seed'), (str(root / 'raw'), 'cam_seed')],
        [str(root / 'masks')],
    )


def finished(data: CurrentOutputs) -> list[bool]:
    return [
        bool(data[n]['data_samples'].get('finished', False))
        for n in range(len(data))
    ]


def test_finished_pictures_are_not_loaded(
    world: tuple[CurrentOutputs, Path],
) -> None:
    data, root = world
    assert finished(data) == [True, True, False]
    note, loaded = data[0], data[2]
    assert 'loaded' not in note and loaded['loaded'] == 2
    meta = note['data_samples'].metainfo
    assert meta['img_path'] == str(root / 'p0.jpg')
    assert meta['image_name'] == 'p0'
    # Each picture has a hash of its own, and the same one again
    hashes = [data[n]['data_samples'].made_of for n in range(3)]
    assert len(set(hashes)) == 3
    assert hashes == [data[n]['data_samples'].made_of for n in range(3)]


def other_label(data: CurrentOutputs, root: Path) -> None:
    data.dataset.get_data_info(0)['image_labels'] = np.array([False])


CHANGES: dict[str, Callable[[CurrentOutputs, Path], object]] = {
    'picture': lambda _, root: (root / 'p0.jpg').write_bytes(b'new'),
    'masks': lambda _, root: (root / 'masks/p0.json').write_text('[1]'),
    'no masks': lambda _, root: (root / 'masks/p0.json').unlink(),
    'label': other_label,
    'one map': lambda _, root: (root / 'raw/p0.png').unlink(),
    'edited map': lambda _, root: write_palette_png(
        root / 'fine/p0.png', np.ones((2, 2))
    ),
    'swapped maps': lambda _, root: (root / 'fine/p0.png').write_bytes(
        (root / 'raw/p0.png').read_bytes()
    ),
}


@pytest.mark.parametrize('change', CHANGES)
def test_a_change_makes_this_picture_again(
    change: str, world: tuple[CurrentOutputs, Path]
) -> None:
    data, root = world
    CHANGES[change](data, root)
    assert finished(data) == [False, True, False]


def test_other_settings_make_all_again(
    world: tuple[CurrentOutputs, Path],
) -> None:
    data, root = world
    expect(data, root, 'two')
    assert finished(data) == [False, False, False]
    expect(data, root)
    assert finished(data) == [True, True, False]


def test_without_expectations_it_is_the_data_set(tmp_path: Path) -> None:
    plain: Any = Pictures(tmp_path)
    data = CurrentOutputs(plain)
    assert [data[n]['loaded'] for n in range(3)] == [0, 1, 2]
    assert 'made_of' not in data[0]['data_samples']
    assert (len(data), data.metainfo) == (3, plain.metainfo)
    # Workers get it as a pickle
    again = pickle.loads(pickle.dumps(data))
    assert len(again) == 3 and again.metainfo == plain.metainfo
    with pytest.raises(AttributeError, match='nothing'):
        _ = data.nothing
