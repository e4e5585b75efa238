# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Outputs of the image trunk on disk, for views that come back."""

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from mmengine.logging import print_log
from numpy.typing import NDArray
from torch import Tensor

from ...structures.draw import Draw
from ...utils import UserInputError
from .frozen_clip import FrozenCLIP, ImageFeatures

__all__ = ['CacheShape', 'TrunkCache']

_META, _ROWS, _CHECKSUMS = 'cache.json', 'rows.bin', 'checksums.bin'
# Files of earlier releases have no word of these
_NOTED_LATER = ('activation', 'heads')


@dataclass(frozen=True)
class CacheShape:
    """Sizes of a cache and of its rows.

    Attributes:
        images (int): Pictures of the data set.
        views (int): Augmented views of each.
        grid (tuple[int, int]): (h, w) patches of a view.
        width (int): Of the image trunk, D.
        attention (bool): Keep the attention, too.
        dtype (str): Of the numbers.
    """

    images: int
    views: int
    grid: tuple[int, int]
    width: int
    attention: bool
    dtype: Literal['float16', 'float32'] = 'float16'

    @property
    def row(self) -> int:
        """Numbers of a view: residual (L, D), attention (hw, hw)."""
        patches = self.grid[0] * self.grid[1]
        return (1 + patches) * self.width + self.attention * patches**2

    @property
    def size(self) -> int:
        """Bytes of all views."""
        each = self.row * np.dtype(self.dtype).itemsize
        return self.images * self.views * each


class TrunkCache:
    """Memory-mapped rows, one for each view of each picture.

    A row has a checksum, which is written after it: a row that was begun when
    a run was killed is not taken for a full one. Processes of one machine may
    share the files; each machine needs its own.

    Args:
        folder (str | PathLike): Made here, or by an earlier run.
        shape (CacheShape): Its size.
        key (Mapping): What the features depend on, as JSON can hold it.

    Raises:
        UserInputError: If the folder has a cache of something else, or the
            disk has no room.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        shape: CacheShape,
        key: Mapping[str, Any],
    ) -> None:
        self.folder = Path(folder)
        self.shape = shape
        # Describe what the features depend on
        meta = dict(key, **vars(shape), format=1)
        # The name that the files of earlier runs have for it
        meta['affinity'] = meta.pop('attention')
        self.meta: dict[str, Any] = json.loads(json.dumps(meta))
        # Make the files, or see that they are of such a run
        if not self.folder.exists():
            self._create()
        self._check_meta()
        # Map the rows into memory
        count = shape.images * shape.views
        self._rows: NDArray[Any] = np.memmap(
            self.folder / _ROWS, shape.dtype, 'r+', shape=(count, shape.row)
        )
        # 0: not there yet
        self._checksums: NDArray[np.uint32] = np.memmap(
            self.folder / _CHECKSUMS, np.uint32, 'r+', shape=(count,)
        )

    def _create(self) -> None:
        """Make the files in a folder that appears complete, or not at all."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        # Say how much it takes, and refuse a disk without room
        size = self.shape.size
        free = shutil.disk_usage(self.folder.parent).free
        print_log(
            f'The trunk cache {self.folder} will take up to '
            f'{size / 2**30:.2f} GiB ({self.shape.images} pictures x '
            f'{self.shape.views} views); {free / 2**30:.2f} GiB are free.',
            'current',
        )
        if size > free:
            raise UserInputError(
                f'Expected {size / 2**30:.2f} GiB of free disk for the trunk '
                f'cache at {self.folder}, but there are {free / 2**30:.2f}. '
                'Lower its `views`, or set its `folder` to another disk.'
            )
        # Make the files aside, then give the folder its name
        made = Path(
            tempfile.mkdtemp(dir=self.folder.parent, prefix='.trunk_cache')
        )
        count = self.shape.images * self.shape.views
        for name, length in ((_ROWS, size), (_CHECKSUMS, 4 * count)):
            with open(made / name, 'wb') as file:
                file.truncate(length)  # sparse: takes no room yet
        (made / _META).write_text(json.dumps(self.meta, indent=2) + '\n')
        try:
            os.rename(made, self.folder)
        except OSError:  # another process was first
            shutil.rmtree(made)

    def _check_meta(self) -> None:
        path = self.folder / _META
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError):
            found = {}
        for name in _NOTED_LATER:
            if found and name in self.meta:
                found.setdefault(name, self.meta[name])
        # Name the first setting that another run had
        differing = [k for k in self.meta if found.get(k) != self.meta[k]]
        if differing:
            name = differing[0]
            raise UserInputError(
                f'Expected the trunk cache of this run in {self.folder}, but '
                f'its `{name}` is {str(found.get(name))[:80]} and this '
                f"run's {str(self.meta[name])[:80]}. Set its `folder` to "
                f'another one, or delete it: rm -r {self.folder}'
            )

    def features(
        self,
        clip: FrozenCLIP,
        images: Tensor,
        draws: Sequence[Draw | int | None],
    ) -> ImageFeatures:
        """Read the features of views, or make and keep them.

        Rounded to the dtype of the cache from the first time on, so that a
        view gives the same whenever it comes.

        Args:
            clip (FrozenCLIP): The frozen model.
            images (Tensor): Normalised views, (N, 3, H, W).
            draws (Sequence[Draw]): Which views these are.

        Returns:
            ImageFeatures: Of the N views.

        Raises:
            UserInputError: If the sampler has other views.
        """
        # Read the views that are there
        rows = self._row_numbers(draws)
        known = [self._read(row) for row in rows]
        # Encode the others, and keep them
        missing = [n for n, values in enumerate(known) if values is None]
        if missing:
            fresh = clip.encode_trunk(images[missing], self.shape.attention)
            flat = torch.cat(
                [fresh.residual.flatten(1), fresh.attention.flatten(1)], dim=1
            )
            for n, values in zip(missing, flat.cpu().numpy(), strict=True):
                known[n] = self._write(rows[n], values)
        # Bring all to the images' device
        stacked = torch.from_numpy(
            np.stack([v for v in known if v is not None])
        )
        stacked = stacked.to(images.device).float()
        # Cut each row into residual and attention
        height, width = self.shape.grid
        patches = height * width
        tokens = (1 + patches) * self.shape.width
        residual = stacked[:, :tokens].unflatten(1, (-1, self.shape.width))
        attention = stacked[:, tokens:].unflatten(
            1, (patches, patches) if self.shape.attention else (0, 0)
        )
        return clip.resume_trunk(residual, attention, self.shape.grid)

    def _row_numbers(self, draws: Sequence[Draw | int | None]) -> list[int]:
        views = self.shape.views
        rows = []
        for draw in draws:
            if not isinstance(draw, Draw) or draw.view >= views:
                raise UserInputError(
                    f'The trunk cache expected {views} views of a '
                    f'ReproducibleSampler, but got {draw!r}. Set '
                    "`train_dataloader.sampler.type='ReproducibleSampler'` "
                    'and leave its `views` to the TrunkCacheHook.'
                )
            # In wrapped data sets the index inside is not unique
            rows.append(draw.drawn * views + draw.view)
        return rows

    def _read(self, row: int) -> NDArray[Any] | None:
        if self._checksums[row] == 0:
            return None
        # Refuse a row that a killed run left half written
        values = np.array(self._rows[row])
        return values if _checksum(values) == self._checksums[row] else None

    def _write(self, row: int, values: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over='ignore'):  # told below
            rounded = values.astype(self.shape.dtype)
        if not np.isfinite(rounded).all():
            raise UserInputError(
                'Expected features that fit into float16 for the trunk '
                f'cache, but one reaches {np.abs(values).max():.3g}. Set its '
                "`dtype='float32'`."
            )
        # Write the checksum last: it vouches for the row
        self._rows[row] = rounded
        self._checksums[row] = _checksum(rounded)
        return rounded


def _checksum(values: NDArray[Any]) -> int:
    return zlib.crc32(values.tobytes()) or 1
