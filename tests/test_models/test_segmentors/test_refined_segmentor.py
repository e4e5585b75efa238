# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Refinement of any segmentor: predictions, checkpoints, augmentation."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from PIL import Image

import mmfmwsss  # noqa: F401  registers the models
from mmfmwsss.models.seeding import SAMS, ArgmaxSeeder, MaskVoting
from mmfmwsss.models.segmentors.refined_segmentor import (
    RefinedSegmentor,
    refine_labels,
)
from mmfmwsss.models.segmentors.seg_probabilities import seg_probabilities
from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError

CLASSES, SIZE = 4, (40, 48)
PREPROCESSOR = dict(
    type='SegDataPreProcessor',
    mean=[120.0] * 3,
    std=[60.0] * 3,
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size_divisor=32,
    test_cfg=dict(size_divisor=32),
)
BACKBONE = dict(
    type='ResNetV1c',
    depth=18,
    base_channels=8,
    stem_channels=8,
    out_indices=(0, 1, 2, 3),
    norm_cfg=dict(type='BN'),
)
DEEPLAB = dict(
    type='EncoderDecoder',
    data_preprocessor=PREPROCESSOR,
    backbone=BACKBONE,
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=64,
        in_index=3,
        channels=8,
        dilations=(1, 2),
        c1_in_channels=8,
        c1_channels=4,
        num_classes=CLASSES,
        norm_cfg=dict(type='BN'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)


@pytest.fixture(autouse=True)
def scope():
    """As a config says with `default_scope = 'mmseg'`."""
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def mask2former():
    """mmseg's Mask2Former, shrunk."""
    attention = dict(embed_dims=16, num_heads=2, dropout=0.0)
    ffn = dict(embed_dims=16, feedforward_channels=32, num_fcs=2)
    position = dict(num_feats=8, normalize=True)
    head = dict(
        type='Mask2FormerHead',
        in_channels=[8, 16, 32, 64],
        strides=[4, 8, 16, 32],
        feat_channels=16,
        out_channels=16,
        num_classes=CLASSES,
        num_queries=6,
        num_transformer_feat_level=3,
        align_corners=False,
        pixel_decoder=dict(
            type='mmdet.MSDeformAttnPixelDecoder',
            num_outs=3,
            norm_cfg=dict(type='GN', num_groups=4),
            act_cfg=dict(type='ReLU'),
            encoder=dict(
                num_layers=1,
                layer_cfg=dict(
                    self_attn_cfg=dict(
                        embed_dims=16,
                        num_heads=2,
                        num_levels=3,
                        num_points=2,
                        batch_first=True,
                    ),
                    ffn_cfg=ffn,
                ),
            ),
            positional_encoding=position,
        ),
        enforce_decoder_input_project=False,
        positional_encoding=position,
        transformer_decoder=dict(
            return_intermediate=True,
            num_layers=1,
            layer_cfg=dict(
                self_attn_cfg=dict(**attention, batch_first=True),
                cross_attn_cfg=dict(**attention, batch_first=True),
                ffn_cfg=ffn,
            ),
        ),
        loss_cls=dict(
            type='mmdet.CrossEntropyLoss',
            class_weight=[1.0] * CLASSES + [0.1],
        ),
        loss_mask=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True),
        loss_dice=dict(
            type='mmdet.DiceLoss', use_sigmoid=True, naive_dice=True
        ),
        train_cfg=dict(
            num_points=64,
            oversample_ratio=3.0,
            importance_sample_ratio=0.75,
            assigner=dict(
                type='mmdet.HungarianAssigner',
                match_costs=[
                    dict(type='mmdet.ClassificationCost', weight=2.0)
                ],
            ),
            sampler=dict(type='mmdet.MaskPseudoSampler'),
        ),
    )
    return dict(DEEPLAB, decode_head=head)


def build_plain(config):
    """Build from attribute dicts, as the runner does."""
    torch.manual_seed(0)
    return MODELS.build(Config(copy.deepcopy(config))._cfg_dict)


def build(segmentor, refiner='SAMS', **kwargs):
    config = dict(
        type='RefinedSegmentor',
        segmentor=segmentor,
        refiner=dict(type=refiner),
        **kwargs,
    )
    return build_plain(config).eval()


def two_masks(size=SIZE):
    masks = torch.zeros(2, *size, dtype=torch.bool)
    masks[0, :20, :20] = True
    masks[1, 10:, 10:] = True
    return SAMMasks(masks, torch.tensor([1, 2]), torch.ones(2), torch.ones(2))


def batch(flip=False, masks=True):
    torch.manual_seed(1)
    image = torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8)
    sample = SegDataSample(
        metainfo=dict(
            img_path='a.jpg', ori_shape=SIZE, img_shape=SIZE, flip=flip
        )
    )
    if flip:
        image = image.flip(-1)
        sample.set_metainfo(dict(flip_direction='horizontal'))
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, *SIZE).long())
    if masks:
        sample.sam_masks = two_masks()
    return dict(inputs=[image], data_samples=[sample])


@pytest.mark.parametrize('make', [lambda: DEEPLAB, mask2former])
def test_predicts_what_the_refiner_says(make):
    model = build(make())
    inner = 'sum' if make is mask2former else 'softmax'
    assert model.probabilities == inner
    with torch.no_grad():
        sample = model.test_step(batch())[0]
        plain = model.segmentor.test_step(batch())[0]
    scores = plain.seg_logits.data
    torch.testing.assert_close(sample.seg_logits.data, scores)
    scores = seg_probabilities(scores, inner)
    torch.testing.assert_close(scores.sum(0), torch.ones(SIZE))
    expected = model.refiner.refine(scores, two_masks())
    assert torch.equal(sample.pred_sem_seg.data[0], expected.long())
    assert sample.pred_sem_seg.data.shape == (1, *SIZE)
    assert (sample.pred_sem_seg.data[0, 30:, :9] == 0).all()  # uncovered
    # argmax as the refiner gives the network's own prediction back
    model.refiner = ArgmaxSeeder()
    with torch.no_grad():
        same = model.test_step(batch(masks=False))[0].pred_sem_seg.data
    assert torch.equal(same, plain.pred_sem_seg.data)


@pytest.mark.parametrize('make', [lambda: DEEPLAB, mask2former])
def test_training_is_the_inner_one(make):
    model = build(make()).train()
    data = batch(masks=False)
    data['inputs'] = data['inputs'] * 2
    data['data_samples'].append(copy.deepcopy(data['data_samples'][0]))
    data = model.data_preprocessor(data, True)
    torch.manual_seed(2)
    ours = model.loss(**data)
    torch.manual_seed(2)
    theirs = model.segmentor.loss(**data)
    assert ours.keys() == theirs.keys()
    loss, _ = model.parse_losses(ours)
    loss.backward()
    assert torch.isfinite(loss)


@pytest.mark.parametrize('make', [lambda: DEEPLAB, mask2former])
@pytest.mark.parametrize('torch_api', [True, False])
def test_checkpoints_are_those_of_the_plain_one(make, torch_api, capfd):
    model, plain = build(make()), build_plain(make())
    source = plain.state_dict() if torch_api else get_state_dict(plain)
    ours = model.state_dict() if torch_api else get_state_dict(model)
    assert list(ours) == list(source)
    assert ours._metadata.keys() >= source._metadata.keys()
    if torch_api:
        model.load_state_dict(source, strict=True)
        plain.load_state_dict(model.state_dict(), strict=True)
    else:
        load_state_dict(model, source, strict=True)
        load_state_dict(plain, get_state_dict(model), strict=True)
    for key, value in model.state_dict().items():
        assert torch.equal(value, source[key])
    prefixed = {f'segmentor.{k}': v for k, v in source.items()}
    load_state_dict(model, prefixed, strict=True)
    assert 'do not match' not in ''.join(capfd.readouterr())


def test_checkpoint_inside_another_module():
    model, plain = build(DEEPLAB), build_plain(DEEPLAB)
    outer = torch.nn.ModuleDict(dict(net=model))
    expected = [f'net.{key}' for key in plain.state_dict()]
    assert list(outer.state_dict()) == expected
    outer.load_state_dict(outer.state_dict(), strict=True)
    copy.deepcopy(outer).load_state_dict(outer.state_dict(), strict=True)


def test_a_wrong_key_is_still_reported():
    model = build(DEEPLAB)
    state = model.state_dict()
    state['backbone.typo'] = state.pop(next(iter(state)))
    with pytest.raises(RuntimeError, match=r'backbone\.typo'):
        model.load_state_dict(state, strict=True)


@pytest.mark.parametrize('make', [lambda: DEEPLAB, mask2former])
def test_augmentation_merges_then_refines(make):
    model = build(make())
    tta = MODELS.build(dict(type='RefinedSegTTAModel', module=model))
    pair = [batch(), batch(flip=True)]
    data = {key: [one[key] for one in pair] for key in pair[0]}
    with torch.no_grad():
        sample = tta.test_step(copy.deepcopy(data))[0]
        singles = [model.segmentor.test_step(one)[0] for one in pair]
    each = [
        seg_probabilities(one.seg_logits.data, model.probabilities)
        for one in singles
    ]
    assert not torch.allclose(*each)  # the flipped copy says something else
    expected = model.refiner.refine(sum(each) / 2, two_masks())
    assert torch.equal(sample.pred_sem_seg.data[0], expected.long())
    assert sample.gt_sem_seg.data.shape == (1, *SIZE)
    assert sample.img_path == 'a.jpg'


def test_augmentation_needs_the_wrapper():
    tta = MODELS.build(
        dict(type='RefinedSegTTAModel', module=build_plain(DEEPLAB))
    )
    with pytest.raises(UserInputError, match='to be a RefinedSegmentor'):
        tta.test_step(dict(inputs=[[]]))


def test_crf_reads_the_image(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3))
    path = str(tmp_path / 'a.png')
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    model = build(DEEPLAB, refiner='DenseCRF')
    data = batch(masks=False)
    data['data_samples'][0].set_metainfo(dict(img_path=path))
    seen = []
    posterior = model.refiner.posterior

    def see(probabilities: Any, image: Any) -> Any:
        seen.append(image)
        return posterior(probabilities, image)

    model.refiner.posterior = see
    with torch.no_grad():
        model.test_step(data)
    np.testing.assert_array_equal(seen[0].numpy(), pixels)


def test_no_masks_is_a_clear_error():
    with pytest.raises(UserInputError, match='LoadSAMMasks'):
        build(DEEPLAB).test_step(batch(masks=False))
    with pytest.raises(ValueError, match='probabilities must be'):
        build(DEEPLAB, probabilities='max')


def test_no_image_path_is_a_clear_error():
    model = build(DEEPLAB)
    model.refiner.needs_image = True
    sample = SegDataSample(sam_masks=two_masks())
    with pytest.raises(UserInputError, match='meta_keys'):
        model.refine(sample, torch.ones(2, 1, 1))


def test_looks_like_the_inner_one():
    config = {k: v for k, v in DEEPLAB.items() if k != 'data_preprocessor'}
    model = build(config, data_preprocessor=PREPROCESSOR)
    assert isinstance(model, RefinedSegmentor)
    assert model.data_preprocessor is model.segmentor.data_preprocessor
    assert model.data_preprocessor.size_divisor == 32
    assert model.out_channels == CLASSES and model.with_decode_head
    assert model.align_corners is False and not model.with_neck
    assert len(model.extract_feat(torch.rand(1, 3, 64, 64))) == 4
    logits = model(torch.rand(1, 3, 64, 64), mode='tensor')
    assert logits.shape[:2] == (1, CLASSES)
    with pytest.raises(AttributeError, match='nothing_of_the_kind'):
        model.nothing_of_the_kind  # noqa: B018


@pytest.mark.parametrize('refiner', ['SAMS', 'MaskVoting', 'DenseCRF'])
def test_stock_augmentation_would_drop_the_refinement(refiner):
    model = build(DEEPLAB, refiner=refiner)
    with pytest.raises(UserInputError, match='RefinedSegTTAModel'):
        MODELS.build(dict(type='SegTTAModel', module=model))
    assert MODELS.build(dict(type='SegTTAModel', module=build_plain(DEEPLAB)))


@pytest.mark.parametrize('refiner', [SAMS(), MaskVoting(), ArgmaxSeeder()])
def test_without_a_background_no_pixel_becomes_one(refiner):
    """Two classes, one mask: what it leaves is the network's."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(3, *SIZE, generator=generator).softmax(0)
    masks = two_masks().filter(torch.tensor([True, False]))
    covered = masks.masks.any(0)
    found = refine_labels(refiner, scores, False, masks)
    own = scores.argmax(0)
    assert torch.equal(found[~covered], own[~covered])
    assert set(own[~covered].tolist()) == {0, 1, 2}
    if isinstance(refiner, SAMS):  # class 0 competes as the others do
        mean = scores[:, covered].mean(1)
        assert (found[covered] == mean.argmax()).all()
    with_background = refine_labels(refiner, scores, True, masks)
    assert torch.equal(
        with_background, refiner.refine(scores, masks, None).long()
    )


def test_the_power_of_the_background_is_not_for_class_0():
    scores = torch.full((2, *SIZE), 0.45)
    scores[1] = 0.55
    sams = SAMS(refine_alpha=0.1)  # 0.45^0.1 = 0.92
    masks = two_masks()
    assert (refine_labels(sams, scores, False, masks) == 1).all()
    assert (refine_labels(sams, scores, True, masks) == 0).all()


def test_the_data_set_says_whether_there_is_a_background():
    model = build(DEEPLAB)
    for reduced, has in ((True, False), (False, True), (None, True)):
        data = batch()
        if reduced is not None:
            data['data_samples'][0].set_metainfo(
                dict(reduce_zero_label=reduced)
            )
        with torch.no_grad():
            sample = model.test_step(data)[0]
        scores = sample.seg_logits.data.softmax(0)
        expected = refine_labels(model.refiner, scores, has, two_masks())
        assert torch.equal(sample.pred_sem_seg.data[0], expected)
    told = build(DEEPLAB, has_background=False)
    with torch.no_grad():
        sample = told.test_step(batch())[0]
    bare = ~two_masks().masks.any(0)
    own = sample.seg_logits.data.argmax(0)
    assert torch.equal(sample.pred_sem_seg.data[0][bare], own[bare])


def test_one_output_with_its_threshold():
    head = dict(DEEPLAB['decode_head'], num_classes=2, out_channels=1)
    loss = dict(type='CrossEntropyLoss', use_sigmoid=True)
    for threshold in (0.3, 0.49, 0.52):
        config = dict(
            DEEPLAB,
            decode_head=dict(head, loss_decode=loss, threshold=threshold),
        )
        model = build(config, refiner='ArgmaxSeeder', has_background=False)
        with torch.no_grad():
            torch.nn.init.normal_(model.segmentor.decode_head.conv_seg.weight)
            ours = model.test_step(batch(masks=False))[0]
            plain = model.segmentor.test_step(batch(masks=False))[0]
        own = plain.pred_sem_seg.data
        assert torch.equal(ours.pred_sem_seg.data, own.long())


def failed_sample():
    return SegDataSample(
        metainfo=dict(img_path='b.jpg', ori_shape=(32, 32), failure='b.jpg: x')
    )


@pytest.mark.parametrize('bad', [0, 1, 2])
def test_a_failed_image_and_another_size_do_not_void_the_batch(bad):
    model = build(DEEPLAB)
    one, other = batch(), batch()
    other['inputs'] = [other['inputs'][0][:, :, :32]]
    other['data_samples'][0].set_metainfo(dict(ori_shape=(40, 32)))
    other['data_samples'][0].sam_masks = two_masks((40, 32))
    with torch.no_grad():
        expected = [
            model.test_step(copy.deepcopy(each))[0].pred_sem_seg.data
            for each in (one, other)
        ]
        data = {key: [one[key][0], other[key][0]] for key in one}
        failure = torch.zeros(3, 32, 32, dtype=torch.uint8)
        data['inputs'].insert(bad, failure)
        data['data_samples'].insert(bad, failed_sample())
        found = model.test_step(data)
    assert 'pred_sem_seg' not in found[bad]
    del found[bad]
    for sample, labels in zip(found, expected, strict=True):
        assert torch.equal(sample.pred_sem_seg.data, labels)
    with torch.no_grad():  # those who call predict themselves
        samples = [failed_sample(), batch()['data_samples'][0]]
        inputs = torch.rand(2, 3, *SIZE)
        found = model.predict(inputs, samples)
    assert 'pred_sem_seg' in found[1] and 'pred_sem_seg' not in found[0]


def test_augmentation_of_a_batch_with_a_failure():
    model = build(DEEPLAB)
    tta = MODELS.build(dict(type='RefinedSegTTAModel', module=model))
    copies = []
    for flip in (False, True):
        data = batch(flip=flip)
        data['inputs'].append(torch.zeros(3, 32, 32, dtype=torch.uint8))
        data['data_samples'].append(failed_sample())
        copies.append(data)
    with torch.no_grad():
        found = tta.test_step(
            {key: [one[key] for one in copies] for key in copies[0]}
        )
    assert 'pred_sem_seg' in found[0] and found[1].failure == 'b.jpg: x'


def test_scores_that_are_not_finite_have_no_labels():
    model = build(DEEPLAB)
    model.segmentor.decode_head.conv_seg.bias.data[1] = float('nan')
    with torch.no_grad():
        sample = model.test_step(batch())[0]
    assert 'pred_sem_seg' not in sample
    assert 'finite scores' in sample.failure


BEIT = dict(
    type='EncoderDecoder',
    data_preprocessor=PREPROCESSOR,
    backbone=dict(
        type='BEiT',
        img_size=(32, 32),
        patch_size=16,
        embed_dims=8,
        num_layers=2,
        num_heads=2,
        out_indices=(1,),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=8,
        in_index=0,
        channels=8,
        num_convs=1,
        num_classes=CLASSES,
    ),
    test_cfg=dict(mode='whole'),
)


@pytest.mark.parametrize('wrapped', [False, True])
def test_rates_of_layers_are_those_of_the_plain_one(wrapped):
    """By mmseg's constructor, which knows layers by name, and by keys."""
    plain = MODELS.build(copy.deepcopy(BEIT))
    model = build(copy.deepcopy(BEIT)) if wrapped else plain
    names = [name for name, _ in model.named_parameters()]
    assert names == [name for name, _ in plain.named_parameters()]

    def rates(**config):
        wrapper = build_optim_wrapper(
            model, dict(optimizer=dict(type='AdamW', lr=1.0), **config)
        )
        found = {
            id(parameter): group['lr']
            for group in wrapper.param_groups
            for parameter in group['params']
        }
        return {n: found[id(p)] for n, p in model.named_parameters()}

    layers = rates(
        constructor='LearningRateDecayOptimizerConstructor',
        paramwise_cfg=dict(
            num_layers=2, decay_rate=0.5, decay_type='layer_wise'
        ),
    )
    # patches, first and second layer, all else: 0.5 ** (3, 2, 1, 0)
    for name, rate in layers.items():
        expected = 1.0
        if name.startswith(('backbone.patch_embed', 'backbone.cls_token')):
            expected = 0.125
        elif name.startswith('backbone.layers.'):
            expected = (0.25, 0.5)[int(name.split('.')[2])]
        assert rate == expected, name
    keys = dict(custom_keys={'backbone': dict(lr_mult=0.1)})
    for name, rate in rates(paramwise_cfg=keys).items():
        assert rate == pytest.approx(0.1 if 'backbone' in name else 1.0)
