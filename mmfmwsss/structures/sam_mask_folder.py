# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A folder of mask files, one an image."""

import os
from pathlib import Path

from ..utils import UserInputError
from ..utils.digests import OF_PICTURE, digest_of_picture
from .sam_masks import SAMMasks
from .sam_masks_file import read_mask_file

__all__ = ['MASK_COMMAND', 'SAMMaskFolder']

MASK_COMMAND = 'python tools/test.py configs/fmwsss/<data set>_sam_masks.py'


class SAMMaskFolder:
    """Read the masks of images by name, and see that they are of them.

    Args:
        mask_dir (str | PathLike): Folder with one ``<image name>.json`` an
            image.
        mask_command (str): Command that makes the masks, for the message.
    """

    def __init__(
        self,
        mask_dir: str | os.PathLike[str],
        mask_command: str = MASK_COMMAND,
    ) -> None:
        self.mask_dir = Path(mask_dir)
        self.mask_command = mask_command

    def read(self, name: str, size: tuple[int, ...], image: str) -> SAMMasks:
        """Read the masks of an image and see that they are of it.

        Args:
            name (str): Name of the image, below its folder.
            size (tuple[int, ...]): Its height and width, pixels.
            image (str): Its path.

        Raises:
            UserInputError: If the file is missing, not readable, or made from
                an image of another size or with other content.
        """
        path = self.mask_dir / f'{name}.json'
        if not path.is_file():
            raise UserInputError(
                f'Expected the SAM masks of {name} at {path}, but they are '
                f'not there. Make them with `{self.mask_command}`.'
            )
        # Read them; a damaged file is to be made again.
        try:
            record = read_mask_file(path)
            masks = SAMMasks.from_file_content(record)
        except (ValueError, KeyError, TypeError) as error:
            raise UserInputError(
                f'Expected SAM masks in {path}, but could not read them '
                f'({error}). Delete the file and run `{self.mask_command}`.'
            ) from error
        # See that they are of this size and this very picture.
        if tuple(masks.size) != size:
            raise UserInputError(
                f'Expected SAM masks of {size} pixels in {path}, but they are '
                f'of {tuple(masks.size)}: another image had this name. '
                f'Delete the file and run `{self.mask_command}`.'
            )
        if record.source.startswith(OF_PICTURE):
            known = digest_of_picture(image, size)
            if known and known != record.source:
                raise UserInputError(
                    f'Expected the SAM masks of {image} in {path}, but they '
                    'were made of an image with other content: it has been '
                    f'replaced since. Run `{self.mask_command}` again.'
                )
        return masks
