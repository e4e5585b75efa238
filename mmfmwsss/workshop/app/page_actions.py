# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What happens at each click, as plain functions of a session."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...apis.error_reports import explain_error
from ...utils import UserInputError
from .mask_reasons import reason_at
from .page_texts import lines_html, reason_html, result_lines, scores_html
from .photo_views import (
    View,
    cam_views,
    mask_views,
    photo_point,
    photo_view,
    seed_view,
)
from .tagging_session import TaggingSession
from .training_archive import write_training_archive

__all__ = ['PageActions', 'PageView']

_HINT = (
    '<p>Click on the photo: the mask there, its score for each tag, and what '
    'decided its class.</p>'
)


class PageView(NamedTuple):
    """Hold the content of the page, in the order of its components."""

    name: str
    photos: list[View]
    title: str
    tags: str
    picture: NDArray[np.uint8] | None
    cams: list[View]
    masks: list[View]
    scores: str
    reason: str
    status: str
    files: list[str]


class PageActions:
    """Answer clicks; what the user can mend becomes the status line.

    Args:
        session (TaggingSession): Photos and models.
        out_dir (str | PathLike): Folder for the files to download.
        models (str): ``'photo'`` or ``'tiny'``.
    """

    def __init__(
        self,
        session: TaggingSession,
        out_dir: str | os.PathLike[str],
        models: str,
    ) -> None:
        self.session = session
        self.out_dir = Path(out_dir)
        self.models = models

    def start(self) -> PageView:
        """Show the first photo, if there is one."""
        photos = self.session.folder.photos
        return self._answer(photos[0] if photos else '', lambda: [])

    def add(self, name: str, paths: Sequence[str] | None) -> PageView:
        """Add photos and show the first of them."""
        added, notes = self.session.add(paths or [])
        lines = [f'{len(added)} photos added.'] if added else []
        return self._answer((*added, name)[0], lambda: [*lines, *notes])

    def choose(self, index: int) -> PageView:
        """Show a photo of the gallery."""
        photos = self.session.folder.photos
        name = photos[index] if 0 <= index < len(photos) else ''
        return self._answer(name, lambda: [])

    def segment(self, name: str, text: str) -> PageView:
        """Tag the photo, and make its seed."""

        def tag() -> list[str]:
            if not name:
                raise UserInputError('Drop a photo first.')
            result = self.session.tag(name, text)
            return result_lines(
                result, self.session.seeder.unknown(result.tags)
            )

        return self._answer(name, tag, text)

    def remove(self, name: str) -> PageView:
        """Take the photo out, and show the next."""
        photos = self.session.folder.photos
        place = photos.index(name) if name in photos else 0
        if name in photos:
            self.session.remove(name)
        photos = self.session.folder.photos
        rest = photos[min(place, len(photos) - 1)] if photos else ''
        line = f'{name} is out.' if name else 'There is no photo.'
        return self._answer(rest, lambda: [line])

    def explain(
        self, name: str, shown: Sequence[float]
    ) -> tuple[NDArray[np.uint8] | None, str]:
        """Outline the mask at a click, and say why it has its class.

        Args:
            name (str): Of the photo.
            shown (Sequence[float]): x and y in its view.

        Returns:
            tuple[ndarray | None, str]: Picture and HTML.
        """
        try:
            photo = self.session.open(name)
        except UserInputError as error:
            return None, lines_html([str(error)])
        # Ask for tags first
        if photo.result is None:
            return photo_view(photo.image), lines_html(
                ['Type tags and press "Segment" first.']
            )
        # Explain the mask at the point
        point = photo_point(photo.image, shown)
        alpha = self.session.seeder.settings.alpha
        reason = reason_at(photo.result, point, alpha)
        chosen = None if reason is None else reason.index
        picture = seed_view(photo.image, photo.result, chosen)
        return picture, reason_html(reason)

    def archive(self) -> tuple[str | None, str]:
        """Pack the folder; returns the file and the status line."""
        path = self.out_dir / 'my_photos.zip'
        try:
            names = write_training_archive(
                self.session.folder, path, self.models
            )
        except UserInputError as error:
            return None, lines_html([str(error)])
        left = len(self.session.folder.photos) - len(names)
        line = f'{len(names)} photos packed' + (
            f'; {left} without tags left out.' if left else '.'
        )
        return str(path), lines_html([line])

    def _answer(
        self, name: str, action: Callable[[], list[str]], text: str = ''
    ) -> PageView:
        """Act, and show a photo; an error of the user's is a line of it."""
        try:
            lines = action()
            content = self._content(name)
        except Exception as error:
            line = explain_error(error)
            if line is None:
                raise
            lines = [line]
            content = dict(self._bare_content(name), tags=text)
        return PageView(
            name=name,
            photos=self._photos(),
            status=lines_html(lines),
            **content,
        )

    def _content(self, name: str) -> dict[str, Any]:
        """Show a photo with its seed, if it has tags."""
        if not self.session.folder.tags.get(name):
            return self._bare_content(name)
        photo = self.session.open(name)
        result = photo.result
        if result is None:
            return self._bare_content(name)
        picture = seed_view(photo.image, result)
        return dict(
            title=_title(name),
            tags=', '.join(result.tags),
            picture=picture,
            cams=cam_views(photo.image, result),
            masks=mask_views(photo.image, result),
            scores=scores_html(result.scores, result.tags),
            reason=_HINT,
            files=self._files(name, picture),
        )

    def _bare_content(self, name: str) -> dict[str, Any]:
        """Show a photo alone, or nothing."""
        image = self.session.image(name) if name else None
        return dict(
            title=_title(name),
            tags='',
            picture=None if image is None else photo_view(image),
            cams=[],
            masks=[],
            scores='',
            reason='',
            files=[],
        )

    def _photos(self) -> list[View]:
        """Show all photos, small, with their tags."""
        folder = self.session.folder
        return [
            (
                self.session.thumbnail(name),
                ', '.join(folder.tags.get(name, ())) or name,
            )
            for name in folder.photos
        ]

    def _files(self, name: str, picture: NDArray[np.uint8]) -> list[str]:
        """Copy masks, seed and painted seed to where they are fetched."""
        folder, stem = self.session.folder, Path(name).stem
        self.out_dir.mkdir(parents=True, exist_ok=True)
        # Tell the two by their names, as they lie side by side
        files = {
            f'{stem}_masks.json': folder.mask_path(name).read_bytes(),
            f'{stem}_seed.png': folder.seed_path(name).read_bytes(),
        }
        for file, data in files.items():
            (self.out_dir / file).write_bytes(data)
        painted = self.out_dir / f'{stem}_overlay.jpg'
        Image.fromarray(picture).save(painted, quality=90)
        return [*(str(self.out_dir / file) for file in files), str(painted)]


def _title(name: str) -> str:
    return f'### {name}' if name else '### No photo yet'
