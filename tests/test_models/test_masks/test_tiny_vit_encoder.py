# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""MobileSAM: random weights in the official file's names; the file itself.

``MMFMWSSS_MOBILE_SAM`` is the path of ``mobile_sam.pt``; by default it is
looked for beside the repository.
"""

import os
import re
from itertools import product
from pathlib import Path

import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator
from torch.nn import functional as F

from mmfmwsss.models.masks import (
    EverythingSettings,
    SAMEverything,
    build_mobile_sam,
    build_sam,
    generate_masks,
)
from mmfmwsss.models.masks.tiny_vit_encoder import (
    TinyViTEncoder,
    convert_mobile_sam,
    is_mobile_sam,
)
from mmfmwsss.utils import UserInputError
from mmfmwsss.workshop.random_sam import liven

ROOT = Path(__file__).parents[3]
BESIDE = ROOT.parent / 'shared' / 'weights' / 'mobile_sam.pt'
WEIGHTS = Path(os.environ.get('MMFMWSSS_MOBILE_SAM', BESIDE))
SMALL = dict(
    image_size=64,
    widths=(8, 12, 12, 24),
    depths=(1, 1, 2, 1),
    heads=(1, 2, 3, 2),
    windows=(3, 3, 5, 3),
    out_channels=16,
)


SMALL_SAM = dict(
    image_size=32,
    patch_size=8,
    encoder_width=12,
    encoder_depth=1,
    encoder_heads=3,
    decoder_width=16,
    decoder_heads=2,
    decoder_mlp=16,
)


def scatter(module):
    """Give all weights and statistics values that tell them apart."""
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if name.endswith('running_var'):
                value.uniform_(0.5, 2)
            elif value.is_floating_point():
                value.normal_(std=0.3)
    return module.eval()


def official_name(name):
    """From our name to that of the official file."""
    name = name.replace('.conv.', '.c.')
    name = name.replace('patch_embed.conv1.', 'patch_embed.seq.0.')
    name = name.replace('patch_embed.conv2.', 'patch_embed.seq.2.')
    found = re.match(r'(.*)stages\.(\d)\.downsample\.(.*)', name)
    if found:
        return f'{found[1]}layers.{int(found[2]) - 1}.downsample.{found[3]}'
    return name.replace('stages.', 'layers.')


def official_file(sam):
    state = {official_name(k): v for k, v in sam.state_dict().items()}
    state['image_encoder.norm_head.weight'] = torch.ones(320)
    state['image_encoder.norm_head.bias'] = torch.zeros(320)
    state['image_encoder.head.weight'] = torch.zeros(1000, 320)
    state['image_encoder.head.bias'] = torch.zeros(1000)
    return state


class Reference:
    """TinyViT with SAM's neck, read from the official names alone."""

    def __init__(self, state, heads, windows):
        self.state, self.heads, self.windows = state, heads, windows

    def __getitem__(self, name):
        return self.state[name]

    def convolve(self, x, name, stride=1):
        kernel = self[f'{name}.c.weight']
        x = F.conv2d(
            x,
            kernel,
            stride=stride,
            padding=kernel.shape[-1] // 2,
            groups=x.shape[1] // kernel.shape[1],
        )
        mean = self[f'{name}.bn.running_mean'][:, None, None]
        spread = self[f'{name}.bn.running_var'][:, None, None] + 1e-5
        weight = self[f'{name}.bn.weight'][:, None, None]
        return (x - mean) / spread.sqrt() * weight + self[f'{name}.bn.bias'][
            :, None, None
        ]

    def norm(self, x, name):
        x = x - x.mean(-1, keepdim=True)
        x = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return x * self[f'{name}.weight'] + self[f'{name}.bias']

    def linear(self, x, name):
        return x @ self[f'{name}.weight'].T + self[f'{name}.bias']

    def three(self, x, name, stride=1):
        x = F.gelu(self.convolve(x, f'{name}.conv1'))
        x = F.gelu(self.convolve(x, f'{name}.conv2', stride))
        return self.convolve(x, f'{name}.conv3')

    def attend(self, x, name, heads):
        """One window, (side, side, C) to the same."""
        side, tokens = x.shape[0], x.flatten(0, 1)
        biases = self[f'{name}.attention_biases']
        qkv = self.linear(self.norm(tokens, f'{name}.norm'), f'{name}.qkv')
        cells = list(product(range(side), repeat=2))
        # Offsets are numbered as they first occur, which is row by row.
        number = {offset: i for i, offset in enumerate(cells)}
        index = torch.tensor(
            [
                [number[abs(a - c), abs(b - d)] for c, d in cells]
                for a, b in cells
            ]
        )
        outputs = []
        for head, part in enumerate(qkv.chunk(heads, dim=1)):
            q, k, v = part.chunk(3, dim=1)
            scores = q @ k.T / q.shape[1] ** 0.5 + biases[head][index]
            outputs.append(scores.softmax(1) @ v)
        return self.linear(torch.cat(outputs, 1), f'{name}.proj').view_as(x)

    def block(self, x, name, heads, side):
        """Image of tokens, (C, h, w) to the same."""
        height, width = x.shape[1:]
        # windows side by side, of zeros where the image ends
        padded = F.pad(x, (0, -width % side, 0, -height % side))
        attended = padded.permute(1, 2, 0).clone()
        for top in range(0, padded.shape[1], side):
            for left in range(0, padded.shape[2], side):
                at = (slice(top, top + side), slice(left, left + side))
                attended[at] = self.attend(
                    attended[at].clone(), f'{name}.attn', heads
                )
        x = x + attended[:height, :width].permute(2, 0, 1)
        x = self.convolve(x[None], f'{name}.local_conv')[0]
        tokens = x.permute(1, 2, 0)
        hidden = self.linear(
            self.norm(tokens, f'{name}.mlp.norm'), f'{name}.mlp.fc1'
        )
        tokens = tokens + self.linear(F.gelu(hidden), f'{name}.mlp.fc2')
        return tokens.permute(2, 0, 1)

    def __call__(self, image):
        x = self.convolve(image, 'patch_embed.seq.0', 2)
        x = self.convolve(F.gelu(x), 'patch_embed.seq.2', 2)
        for stage, strides in enumerate((2, 2, 1, None)):
            blocks = {
                int(found[1])
                for name in self.state
                if (found := re.match(rf'layers\.{stage}\.blocks\.(\d)', name))
            }
            for number in sorted(blocks):
                name = f'layers.{stage}.blocks.{number}'
                if stage == 0:
                    x = F.gelu(x + self.three(x, name))
                else:
                    sizes = (self.heads[stage], self.windows[stage])
                    x = self.block(x[0], name, *sizes)[None]
            if strides is not None:
                x = self.three(x, f'layers.{stage}.downsample', strides)
        for number, kernel in ((0, 1), (2, 3)):
            weight = self[f'neck.{number}.weight']
            x = F.conv2d(x, weight, padding=kernel // 2)
            x = x - x.mean(1, keepdim=True)
            x = x / (x.square().mean(1, keepdim=True) + 1e-6).sqrt()
            norm = f'neck.{number + 1}'
            x = (
                x * self[f'{norm}.weight'][:, None, None]
                + self[f'{norm}.bias'][:, None, None]
            )
        return x


@pytest.mark.parametrize('size', [64, 80, 160])
def test_encoder_is_tiny_vit_by_its_definition(size):
    torch.manual_seed(0)
    encoder = scatter(TinyViTEncoder(**SMALL | dict(image_size=size)))
    encoder = encoder.double().requires_grad_(False)
    image = torch.randn(1, 3, size, size, dtype=torch.float64)
    found = encoder(image)
    assert found.shape == (1, 16, size // 16, size // 16)
    state = {official_name(k): v for k, v in encoder.state_dict().items()}
    reference = Reference(state, SMALL['heads'], SMALL['windows'])
    expected = reference(image)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected)


@pytest.fixture(scope='module')
def random_sam():
    torch.manual_seed(3)
    sam = build_mobile_sam(128)
    for name, value in sam.image_encoder.state_dict().items():
        # as they are initialised, biases and last convolutions do nothing
        if name.endswith(('attention_biases', 'conv3.bn.weight')):
            value.normal_(std=0.5)
    return liven(sam).requires_grad_(False)


def test_official_file_is_read_under_our_names(random_sam, tmp_path):
    state = official_file(random_sam)
    assert is_mobile_sam(state)
    assert not is_mobile_sam(random_sam.state_dict())
    state_names = random_sam.state_dict().keys()
    assert convert_mobile_sam(state).keys() == state_names
    torch.save(state, tmp_path / 'mobile_sam.pt')
    loaded = build_sam('vit_t', tmp_path / 'mobile_sam.pt')
    assert loaded.image_encoder.img_size == 1024
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, random_sam.state_dict()[name]), name
    # weights under our names stay as they are
    assert convert_mobile_sam(loaded.state_dict()).keys() == state_names


def test_wrong_files_are_told_apart(random_sam, tmp_path):
    file = tmp_path / 'a.pt'
    state = official_file(random_sam)
    torch.save(state, file)
    with pytest.raises(UserInputError, match=r'found those of vit_t \(Mobile'):
        build_sam(SMALL_SAM, file)
    torch.save({'image_encoder.pos_embed': torch.zeros(1, 64, 64, 768)}, file)
    with pytest.raises(
        UserInputError, match=r'of vit_t in .*a\.pt, found those of vit_b'
    ) as caught:
        build_sam('vit_t', file)
    assert '\n' not in str(caught.value)
    del state['mask_decoder.iou_token.weight']
    torch.save(state, file)
    with pytest.raises(UserInputError, match=r'1 of \d+ entries are missing'):
        build_sam('vit_t', file)
    torch.save({'model': state}, file)
    with pytest.raises(UserInputError, match=r"found a dict with 'model'"):
        build_sam('vit_t', file)


SETTINGS = dict(
    points_per_side=4,
    stability_score_offset=0.02,
    crop_n_layers=1,
    # of random weights, masks of neighbours are much the same
    box_nms_thresh=0.98,
    crop_nms_thresh=0.98,
    min_mask_region_area=20,
)


@pytest.mark.parametrize('fast_network', [False, True])
def test_everything_mode_is_segment_anythings(random_sam, image, fast_network):
    settings = dict(SETTINGS, pred_iou_thresh=-1, stability_score_thresh=0)
    records = SamAutomaticMaskGenerator(random_sam, **settings).generate(image)
    ours = generate_masks(
        random_sam,
        image,
        EverythingSettings(
            **settings, whole_iou_bonus=0, whole_first_nms=False
        ),
        fast_network=fast_network,
    )
    theirs = torch.stack(
        [torch.from_numpy(r['segmentation']) for r in records]
    )
    assert len(theirs) > 1
    # Rounding may turn a pixel whose logit is zero.
    assert (ours.masks ^ theirs).sum() <= (2 if fast_network else 0)


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS.is_file(), reason='no mobile_sam.pt')
def test_official_weights_on_a_photo():
    skimage = pytest.importorskip('skimage')
    cat = skimage.data.chelsea()  # (300, 451), one cat from ear to ear
    source = SAMEverything(
        'vit_t', WEIGHTS, points_per_side=8, crop_n_layers=0
    )
    masks = source(cat)
    assert source.settings()['arch'] == 'vit_t'
    whole = masks.masks[masks.levels == 2]
    # its face and body, and not the wall at the upper right
    assert any(
        mask[150, 220] and mask[250, 150] and not mask[10, 430]
        for mask in whole
    )
    settings = dict(points_per_side=8, crop_n_layers=0)
    records = SamAutomaticMaskGenerator(
        source.sam,
        **settings,
        pred_iou_thresh=0.86,
        stability_score_thresh=0.92,
    ).generate(cat)
    ours = generate_masks(
        source.sam,
        cat,
        EverythingSettings(
            **settings,
            whole_iou_bonus=0,
            whole_first_nms=False,
            min_mask_region_area=0,
        ),
    )
    theirs = torch.stack(
        [torch.from_numpy(r['segmentation']) for r in records]
    )
    assert len(theirs) > 3
    assert torch.equal(ours.masks, theirs)
