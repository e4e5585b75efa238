# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the clicks do, without a browser."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.models.clip import FrozenCLIP
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.workshop.app import (
    PageActions,
    TaggingSession,
    TrainingFolder,
)
from mmfmwsss.workshop.app.photo_views import photo_point, photo_view

Drawings = list[tuple[Path, list[str]]]


@pytest.fixture
def actions(session: TaggingSession, tmp_path: Path) -> PageActions:
    return PageActions(session, tmp_path / 'out', 'tiny')


def add(actions: PageActions, drawings: Drawings) -> str:
    return actions.add('', [str(path) for path, _ in drawings]).name


def test_the_page_starts_empty(actions: PageActions) -> None:
    view = actions.start()
    assert (view.name, view.photos, view.picture) == ('', [], None)
    assert 'Drop a photo first' in actions.segment('', 'cat').status
    assert 'There is no photo' in actions.remove('').status
    assert actions.archive()[0] is None
    assert 'Expected a photo with tags' in actions.archive()[1]


def test_a_photo_is_seeded_and_explained(
    actions: PageActions, drawings: Drawings
) -> None:
    name = add(actions, drawings)
    path, tags = drawings[0]
    assert name == path.name
    view = actions.segment(name, ', '.join(tags).upper())
    assert view.tags == ', '.join(tags)
    assert len(view.cams) == len(tags) and len(view.masks) >= 1
    assert 'of the photo' in view.status and 'not taught' not in view.status
    assert [Path(file).suffix for file in view.files] == [
        '.json',
        '.png',
        '.jpg',
    ]
    # The reason at every tenth pixel is the seed's label there
    seed = read_label_png(view.files[1])
    classes = ('background', *actions.session.folder.classes)
    large = photo_view(actions.session.image(name))
    factor = large.shape[0] // seed.shape[0]
    for y in range(0, seed.shape[0], 10):
        for x in range(0, seed.shape[1], 10):
            shown = (x * factor + 1, y * factor + 1)
            picture, reason = actions.explain(name, shown)
            winner = classes[seed[y, x]]
            assert f': {winner}</h4>' in reason or 'No mask' in reason
            assert picture.shape == view.picture.shape


def test_other_tags_run_neither_sam_nor_the_trunk(
    actions: PageActions,
    drawings: Drawings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = add(actions, drawings)
    first = actions.segment(name, 'cat')
    monkeypatch.delattr(FrozenCLIP, 'encode_trunk')
    monkeypatch.setattr(actions.session.seeder, 'mask_source', None)
    second = actions.segment(name, 'bird')
    assert second.tags == 'bird'
    assert not np.array_equal(first.picture, second.picture)
    assert 'features' in first.status and 'features' not in second.status


def test_without_tags_the_clip_guesses(
    actions: PageActions, drawings: Drawings
) -> None:
    view = actions.segment(add(actions, drawings), '')
    assert view.tags
    assert set(view.tags.split(', ')) <= set(
        actions.session.seeder.settings.names
    )


def test_files_that_are_no_photos_are_a_line_each(
    actions: PageActions, drawings: Drawings, tmp_path: Path
) -> None:
    cut = tmp_path / 'cut <b>.jpg'
    cut.write_bytes(drawings[0][0].read_bytes()[:500])
    text = tmp_path / 'text.png'
    text.write_text('no picture')
    gone = tmp_path / 'gone.jpg'
    paths = [cut, text, gone, drawings[0][0]]
    view = actions.add('', [str(path) for path in paths])
    assert view.name == drawings[0][0].name
    assert view.status.count('<p>') == 4
    assert 'cut &lt;b&gt;.jpg' in view.status and '<b>' not in view.status
    assert len(view.photos) == 1


def test_large_and_other_photos_become_jpegs(
    actions: PageActions, tmp_path: Path
) -> None:
    Image.new('RGB', (3000, 1500), 'red').save(tmp_path / 'large.png')
    Image.new('RGB', (30, 20), 'red').save(tmp_path / 'small.webp')
    paths = [tmp_path / 'large.png', tmp_path / 'small.webp']
    view = actions.add('', [str(path) for path in paths])
    folder = actions.session.folder
    assert folder.photos == ['large.jpg', 'small.jpg']
    assert Image.open(folder.image_path('large.jpg')).size == (1024, 512)
    assert 'large.jpg: saved as a JPEG of 1024 x 512 pixels' in view.status


def test_a_wrong_tag_is_a_line_and_stays_in_the_box(
    actions: PageActions, drawings: Drawings
) -> None:
    name = add(actions, drawings)
    view = actions.segment(name, 'cat, <i>')
    assert 'Expected tags' in view.status and '<i>' not in view.status
    assert view.tags == 'cat, <i>'
    assert actions.session.folder.tags == {}
    _, reason = actions.explain(name, (0, 0))
    assert 'Type tags' in reason


def test_names_from_outside_are_refused(
    actions: PageActions, tmp_path: Path
) -> None:
    (tmp_path / 'secret.png').touch()
    assert (
        'Expected one of the photos'
        in actions.explain('../../secret.png', (0, 0))[1]
    )
    actions.remove('../../secret.png')
    assert (tmp_path / 'secret.png').is_file()


def test_a_session_is_taken_up(
    actions: PageActions, drawings: Drawings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add(actions, drawings)
    before = actions.segment(name, ', '.join(drawings[0][1]))
    session = actions.session
    monkeypatch.setattr(type(session.seeder.mask_source), 'forward', None)
    folder = TrainingFolder(session.folder.root, ())
    again = PageActions(
        TaggingSession(session.seeder, folder), actions.out_dir, 'tiny'
    ).start()
    assert (again.name, again.tags) == (before.name, before.tags)
    np.testing.assert_array_equal(again.picture, before.picture)


def test_a_photo_that_was_damaged_meanwhile_is_grey(
    actions: PageActions, drawings: Drawings
) -> None:
    name = add(actions, drawings)
    session = actions.session
    session.folder.image_path(name).write_bytes(b'')
    fresh = PageActions(
        TaggingSession(session.seeder, session.folder), '.', 'tiny'
    )
    view = fresh.segment(name, 'cat')
    assert 'Expected a complete picture' in view.status
    assert (view.photos[0][0] == 128).all()


def test_removal_shows_the_next(
    actions: PageActions, drawings: Drawings
) -> None:
    add(actions, drawings)
    first, second = actions.session.folder.photos
    view = actions.remove(first)
    assert view.name == second and len(view.photos) == 1
    assert actions.remove(second).name == ''


def test_the_archive_has_the_finished_photos_alone(
    actions: PageActions, drawings: Drawings
) -> None:
    add(actions, drawings)
    first, second = actions.session.folder.photos
    actions.segment(first, 'cat')
    path, status = actions.archive()
    assert '1 photos packed; 1 without tags left out' in status
    stem = Path(first).stem
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [
            'my_photos/README.txt',
            'my_photos/classes.yaml',
            'my_photos/image_labels.csv',
            f'my_photos/images/{first}',
            f'my_photos/work/sam_masks/{stem}.json',
            f'my_photos/work/seed/fine_seed/{stem}.png',
        ]
        labels = archive.read('my_photos/image_labels.csv').decode()
    assert labels == f'image,tags\n{first},cat\n'
    assert second not in labels


def test_a_point_of_a_view_is_one_of_the_photo() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    assert photo_view(image).shape == (300, 600, 3)
    assert photo_point(image, (599, 299)) == (199, 99)
    assert photo_point(image, (0, 301)) == (0, 100)  # in the legend
    large = np.zeros((500, 600, 3), np.uint8)
    assert photo_view(large).shape == large.shape
    assert photo_point(large, (7, 9)) == (7, 9)
