# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""SAMs of random weights that find something, for tests and timings."""

import torch
from segment_anything.modeling import Sam

__all__ = ['liven']


def liven(sam: Sam) -> Sam:
    """Scale random weights so that masks differ from point to point.

    As they are initialised, every point gets the same mask of noise, and
    nothing but one mask is left after non-maximum suppression.

    Args:
        sam (Sam): Of any size, with random weights; changed in place.

    Returns:
        Sam: The same.
    """
    decoder = sam.mask_decoder
    with torch.no_grad():
        # Vary positions slowly, and weaken the image's features
        pe_layer = sam.prompt_encoder.pe_layer
        pe_layer.positional_encoding_gaussian_matrix *= 0.5
        sam.image_encoder.neck[2].weight *= 0.3
        # Sharpen the decoder's attention
        for attention in decoder.transformer.modules():
            if hasattr(attention, 'k_proj'):
                attention.k_proj.weight *= 3
                attention.v_proj.weight *= 2
        # Let the upscaling average, so that masks have no grid
        for convolution in decoder.output_upscaling[::3]:
            kernel = convolution.weight
            kernel.copy_(kernel.mean((2, 3), keepdim=True) * 4)
        # Spread logits and scores
        for mlp in decoder.output_hypernetworks_mlps:
            for layer in mlp.layers:
                layer.weight *= 3
        decoder.iou_prediction_head.layers[-1].weight *= 4
    return sam
