# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The demo command."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from mmfmwsss.utils import UserInputError

ROOT = Path(__file__).parents[2]
PATH = ROOT / 'tools' / 'demo.py'
PLACES = (
    ROOT / 'weights' / 'mobile_sam.pt',
    ROOT.parent / 'shared' / 'weights' / 'mobile_sam.pt',
)
SAM = next((path for path in PLACES if path.is_file()), None)
SPEC = importlib.util.spec_from_file_location('demo_tool', PATH)
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


def test_no_photo_is_an_error() -> None:
    with pytest.raises(UserInputError, match='Expected a photo, got none'):
        tool.list_photos(tool.parse_args([]))


def test_folders_and_free_photos_are_listed(tmp_path: Path) -> None:
    (tmp_path / 'a.jpg').touch()
    (tmp_path / 'notes.txt').touch()
    args = tool.parse_args([str(tmp_path), '--free'])
    found = tool.list_photos(args)
    assert [(path.name, tags) for path, tags in found] == [
        ('chelsea.png', ['cat']),
        ('coffee.png', ['cup']),
        ('motorcycle_left.png', ['motorcycle']),
        ('a.jpg', []),
    ]
    assert all(path.is_file() for path, _ in found)


def test_results_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ('a.jpg', 'a.png'):
        (tmp_path / name).touch()
    with pytest.raises(UserInputError, match="several are called 'a'"):
        tool.list_photos(tool.parse_args([str(tmp_path)]))


def test_tiny_models_need_no_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ('a', 'b'):
        Image.new('RGB', (48, 32), 'green').save(tmp_path / f'{name}.png')
    (tmp_path / 'c.png').write_bytes(b'no photo')
    arguments = [str(tmp_path), '--tags', 'car', 'Unicorn', '--model', 'tiny']
    out = tmp_path / 'out'
    assert tool.main([*arguments, '--points', '2', '--out', str(out)]) == 1
    text = capsys.readouterr().out
    assert 'c: Expected' in text
    assert f'are in {out}' in text
    assert "not taught 'Unicorn', and may guess" in text
    assert sorted(path.name for path in out.iterdir()) == [
        f'{name}_{end}'
        for name in ('a', 'b')
        for end in (
            'cam_Unicorn.jpg',
            'cam_car.jpg',
            'overlay.jpg',
            'seed.png',
            'why.png',
        )
    ]
    # Nothing is said to be where nothing was made
    none = [str(tmp_path / 'c.png'), '--model', 'tiny', '--out', str(out)]
    assert tool.main(none) == 1
    assert 'are in' not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(SAM is None, reason='needs mobile_sam.pt')
def test_cat_of_scikit_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real weights: most of the photo is the cat, its corner is not."""
    cat = Path(skimage.data.__file__).parent / 'chelsea.png'
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'no photo')
    arguments = [str(broken), str(cat), '--tags', 'cat', '--sam', str(SAM)]
    arguments += ['--points', '8', '--out', str(tmp_path)]
    assert tool.main(arguments) == 1  # but the cat is done
    assert 'broken: Expected' in capsys.readouterr().out
    seed = np.asarray(Image.open(tmp_path / 'chelsea_seed.png'))
    assert seed.shape == (300, 451)
    assert 0.6 < (seed == 1).mean() < 0.9
    assert seed[150, 200] == 1 and seed[20, 430] == 0
    assert (tmp_path / 'chelsea_overlay.jpg').stat().st_size > 5_000
    assert (tmp_path / 'chelsea_why.png').is_file()
    assert (tmp_path / 'chelsea_cam_cat.jpg').is_file()
