# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Show SAM a crop: step 2 of its everything mode."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch import Tensor

from ...utils import UserInputError
from .crops import Box
from .fast.decoder import FastDecoder
from .fast.encoder import encode_image
from .fast.upscaling import Frame
from .sam_decoder import PlainDecoder, PointDecoder

__all__ = ['CropView', 'encode_crop']


@dataclass(frozen=True)
class CropView:
    """One crop as the network sees it.

    Attributes:
        crop (Box): Its place in the image.
        image (tuple[int, int]): Height and width of the whole image.
        decoder (PointDecoder): Decodes points of the crop.
        points (Tensor): x and y in pixels of the encoder's input, (points, 2).
        places (Tensor): The same in pixels of the crop, int64, (points, 2).
        frame (Frame): From the decoder's masks to the crop.
    """

    crop: Box
    image: tuple[int, int]
    decoder: PointDecoder
    points: Tensor
    places: Tensor
    frame: Frame


def encode_crop(
    sam: Sam,
    image: NDArray[np.uint8],
    crop: Box,
    grid: Tensor,
    fast_network: bool,
) -> CropView:
    """Encode a crop and lay a grid of points over it.

    Args:
        sam (Sam): The network; its device is used.
        image (ndarray): RGB, uint8, (H, W, 3).
        crop (Box): The part of the image to look at.
        grid (Tensor): x and y in (0, 1) of the crop, (points, 2).
        fast_network (bool): See :func:`~.everything.generate_masks`.

    Returns:
        CropView: The crop, ready for the decoder.

    Raises:
        UserInputError: If it is so thin that the encoder would see nothing.
    """
    # Resize the crop so that its longer side fills the encoder's square.
    x0, y0, x1, y1 = crop
    size, square = (y1 - y0, x1 - x0), sam.image_encoder.img_size
    resize = ResizeLongestSide(square)
    if 0 in resize.get_preprocess_shape(*size, square):
        raise UserInputError(
            f'Expected a picture that is at most {2 * square} times as long '
            f'as it is wide, for SAM sees it at {square} pixels, but got a '
            f'strip of {size[1]} x {size[0]}. Cut it into shorter pieces.'
        )
    pixels = resize.apply_image(np.ascontiguousarray(image[y0:y1, x0:x1]))
    resized = (pixels.shape[0], pixels.shape[1])
    # Normalise, pad and encode it.
    tensor = torch.from_numpy(pixels).to(sam.device).permute(2, 0, 1)
    network_input = sam.preprocess(tensor.contiguous()[None])
    decoder: PointDecoder
    if fast_network:
        embedding = encode_image(sam.image_encoder, network_input)
        decoder = FastDecoder(sam, embedding)
    else:
        decoder = PlainDecoder(sam, sam.image_encoder(network_input))
    # Scale the grid as segment_anything: to the crop, then to the square.
    places = grid * torch.tensor(size[::-1], dtype=grid.dtype)
    points = places * torch.tensor(
        [resized[1] / size[1], resized[0] / size[0]], dtype=grid.dtype
    )
    return CropView(
        crop=crop,
        image=(image.shape[0], image.shape[1]),
        decoder=decoder,
        points=points.to(sam.device),
        places=places.long().to(sam.device),
        frame=Frame(decoder.mask_size, square, resized, size),
    )
