# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Read a picture and its SAM masks, and say clearly when that fails."""

from pathlib import Path
from typing import Any

import mmcv
import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmseg.registry import TRANSFORMS
from numpy.typing import NDArray

from ...structures.sam_mask_folder import MASK_COMMAND, SAMMaskFolder
from ...utils import UserInputError
from ...utils.image_names import image_name_of
from ...utils.photos import decode_photo
from ...utils.picture_files import (
    is_complete_image,
    open_picture,
    read_picture_bytes,
)

__all__ = ['LoadImageStrict', 'LoadSAMMasks', 'is_complete_image']


@TRANSFORMS.register_module()
class LoadImageStrict(LoadImageFromFile):
    """Load a picture as BGR, or name the file and what to do about it.

    As mmcv's ``LoadImageFromFile`` (grey-scale becomes three channels, the
    EXIF orientation is applied), but a file that is missing, empty, cut off,
    too large or no picture is a :class:`UserInputError`, and all formats are
    read as :func:`~mmfmwsss.utils.photos.decode_photo` says.

    Added keys: ``img`` uint8 (H, W, 3), ``img_shape``, ``ori_shape``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load ``results['img_path']``.

        Raises:
            UserInputError: If the file cannot be read completely.
        """
        path = results['img_path']
        image = self._decode(path, self._read(path))
        if self.to_float32:
            image = image.astype(np.float32)
        # Record its size, before any resizing
        results['img'] = image
        results['img_shape'] = image.shape[:2]
        results['ori_shape'] = image.shape[:2]
        return results

    def _read(self, path: str) -> bytes:
        # Read a local file directly, else by mmengine's backends
        if self.backend_args is None:
            return read_picture_bytes(path)
        try:
            return bytes(fileio.get(path, backend_args=self.backend_args))
        except OSError as error:
            raise UserInputError(
                f'Expected a picture at {path}, but could not read it '
                f'({type(error).__name__}). Put the file there, or take it '
                'out of the image list.'
            ) from error

    def _decode(self, path: str, data: bytes) -> NDArray[Any]:
        # Decode photographs as our other tools do
        if self.color_type == 'color' and self.imdecode_backend == 'cv2':
            return decode_photo(data, path)
        # Decode other kinds by mmcv, if the file is complete
        image = None
        if is_complete_image(data):
            with open_picture(data, path):  # checks the size
                image = mmcv.imfrombytes(
                    data, flag=self.color_type, backend=self.imdecode_backend
                )
        if image is None:
            raise UserInputError(
                f'Expected a complete picture in {path}, but its {len(data)} '
                'bytes are empty, cut off or no picture. Replace the file, or '
                'take it out of the image list.'
            )
        return image


@TRANSFORMS.register_module()
class LoadSAMMasks(BaseTransform):
    """Load the SAM masks of a picture.

    With ``follow_image`` the masks travel as bit planes, an image of bytes
    with eight masks a channel, in ``seg_fields``: every resize, crop and flip
    that moves a segmentation map then moves the masks too. Two channels at
    least, for OpenCV drops the axis of a single one. mmcv's own resizing
    takes as many channels as OpenCV does (1,024 masks with OpenCV 5, 4,096
    before); the transforms of this package take any number. Put it right
    after the image loader.

    Without it the masks stay at the original size, as a test run needs them;
    its place in the pipeline does not matter then.

    Required keys: ``img_path``, ``img``, ``ori_shape``, ``seg_fields``.
    Added keys: ``sam_masks`` (SAMMasks) and, if the masks follow the
    image, ``sam_mask_planes`` uint8 (H, W, max(2, ceil(S / 8))).

    Args:
        mask_dir (str): Folder with one ``<image name>.json`` an image.
        follow_image (bool): Whether the masks follow the image through the
            next transforms. Default: True.
        mask_command (str): Command that makes the masks, for the message.
    """

    def __init__(
        self,
        mask_dir: str,
        follow_image: bool = True,
        mask_command: str = MASK_COMMAND,
    ) -> None:
        self.folder = SAMMaskFolder(mask_dir, mask_command)
        self.follow_image = follow_image

    @property
    def mask_dir(self) -> Path:
        """Return the folder of the mask files."""
        return self.folder.mask_dir

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the masks of ``results['img_path']``.

        Raises:
            UserInputError: If the mask file is missing, not readable, or made
                from another picture; or if the picture came as an array.
            ValueError: If the masks are to follow an image that was resized
                before.
        """
        # Refuse arrays, whose masks cannot be found
        if results.get('img_path') is None:
            raise UserInputError(
                'Expected the path of a picture, for its masks are found by '
                'its name, but got an array. Pass the path, or take the '
                'config without SAMS: it reads the same checkpoint.'
            )
        # Refuse masks of another size than the image's
        size = tuple(results['ori_shape'][:2])
        if self.follow_image and tuple(results['img'].shape[:2]) != size:
            raise ValueError(
                'LoadSAMMasks(follow_image=True) must come right after the '
                'image loader: '
                f'expected an image of {size}, but got '
                f'{results["img"].shape[:2]}.'
            )
        # Read the masks of the picture's name
        path = results['img_path']
        masks = self.folder.read(image_name_of(results), size, path)
        results['sam_masks'] = masks
        # Pack masks into planes of 8, which resize and crop like labels
        if self.follow_image:
            planes = masks.pack()
            missing = max(0, 2 - planes.shape[2])
            results['sam_mask_planes'] = np.pad(
                planes, ((0, 0), (0, 0), (0, missing))
            )
            results.setdefault('seg_fields', []).append('sam_mask_planes')
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(mask_dir={str(self.mask_dir)!r}, '
            f'follow_image={self.follow_image})'
        )
