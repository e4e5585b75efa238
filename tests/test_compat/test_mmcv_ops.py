# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""mmcv's ops: present, absent, broken; and what runs without them."""

import subprocess
import sys
import textwrap

import mmcv
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from torch import Tensor

from mmfmwsss.compat import OpsStandIn, install_ops_stand_in, prepare
from mmfmwsss.compat.mmcv_ops import ms_deform_attn_forward

NAME = 'mmcv._ext'


@pytest.fixture
def extension_source(monkeypatch, tmp_path):
    """Give mmcv an ``_ext`` of our own, as if no one had imported it yet."""
    prepare()
    before = sys.modules[NAME]
    monkeypatch.setattr(mmcv, '_ext', before)
    monkeypatch.setattr(mmcv, '__path__', [str(tmp_path)])
    # Earlier imports are another test's subject.
    for early in ('mmseg.models', 'mmdet.models'):
        monkeypatch.delitem(sys.modules, early, raising=False)
    monkeypatch.delitem(sys.modules, NAME)

    def write(source):
        (tmp_path / '_ext.py').write_text(source)

    yield write
    sys.modules.pop(NAME, None)  # monkeypatch then puts the old one back


def test_working_ops_are_left_alone(extension_source):
    extension_source('def nms(boxes):\n    return "compiled"\n')
    assert install_ops_stand_in() is False
    assert not isinstance(sys.modules[NAME], OpsStandIn)
    assert sys.modules[NAME].nms(None) == 'compiled'
    assert install_ops_stand_in() is False


def test_a_replacement_of_someone_else_is_left_alone(
    extension_source, monkeypatch
):
    theirs = type(sys)(NAME)
    monkeypatch.setitem(sys.modules, NAME, theirs)
    assert install_ops_stand_in() is False
    assert sys.modules[NAME] is theirs


def test_missing_ops_get_a_stand_in_silently(extension_source, recwarn):
    assert install_ops_stand_in() is True
    assert isinstance(sys.modules[NAME], OpsStandIn)
    assert mmcv._ext is sys.modules[NAME]
    assert install_ops_stand_in() is True  # a second call changes nothing
    assert mmcv._ext is sys.modules[NAME]
    assert not recwarn.list


@pytest.mark.parametrize(
    'source',
    [
        "raise ImportError('undefined symbol: _ZN3c10')",
        "raise ModuleNotFoundError('No module named x', name='x')",
    ],
)
def test_broken_ops_get_a_stand_in_and_a_warning(extension_source, source):
    extension_source(source)
    with pytest.warns(UserWarning, match='--no-cache-dir --force-reinstall'):
        assert install_ops_stand_in() is True
    assert isinstance(sys.modules[NAME], OpsStandIn)


def test_models_imported_too_early_are_named(extension_source, monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmdet.models', type(sys)('x'))
    with pytest.warns(UserWarning, match=r'mmdet\.models had been imported'):
        install_ops_stand_in()


def test_every_op_is_there_and_raises_when_called():
    stand_in = OpsStandIn()
    op = stand_in.roi_align_forward
    assert op.__name__ == 'roi_align_forward'
    with pytest.raises(RuntimeError, match='without ops, so `roi_align_f'):
        op(1, size=2)
    assert stand_in.get_compiler_version() == 'n/a'
    with pytest.raises(AttributeError, match='_secret'):
        _ = stand_in._secret


def needs_stand_in() -> None:
    prepare()
    if not isinstance(sys.modules[NAME], OpsStandIn):
        pytest.skip('this mmcv has working ops')


def test_mmcv_nms_raises_the_clear_error():
    needs_stand_in()
    from mmcv.ops import nms

    with pytest.raises(RuntimeError, match='install an mmcv with compiled'):
        nms(torch.zeros(1, 4), torch.zeros(1), 0.5)


def attention_inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = torch.tensor([[3, 4], [2, 2]])

    def uniform(*size: int) -> Tensor:
        return torch.rand(*size, generator=generator, dtype=torch.float64)

    value = uniform(2, 16, 2, 3)
    locations = uniform(2, 5, 2, 2, 3, 2)
    weights = uniform(2, 5, 2, 6).softmax(-1).view(2, 5, 2, 2, 3)
    return value, shapes, locations, weights


def attend_slowly(
    value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor
) -> Tensor:
    """Bilinear sampling in plain loops, straight from the definition."""
    images, _, heads, width = value.shape
    queries, levels, points = locations.shape[1], len(shapes), 3
    output = torch.zeros(images, queries, heads, width, dtype=value.dtype)
    indices = torch.cartesian_prod(
        *map(torch.arange, (images, queries, heads, levels, points))
    )
    for n, q, m, level, t in indices.tolist():
        height, wide = shapes[level].tolist()
        start = int(shapes[:level].prod(1).sum())
        x = float(locations[n, q, m, level, t, 0]) * wide - 0.5
        y = float(locations[n, q, m, level, t, 1]) * height - 0.5
        for row in (int(y // 1), int(y // 1) + 1):
            for column in (int(x // 1), int(x // 1) + 1):
                if 0 <= row < height and 0 <= column < wide:
                    share = (1 - abs(y - row)) * (1 - abs(x - column))
                    pixel = value[n, start + row * wide + column, m]
                    weight = weights[n, q, m, level, t]
                    output[n, q, m] += share * weight * pixel
    return output.flatten(2)


def test_deformable_attention_agrees_with_plain_loops():
    needs_stand_in()
    value, shapes, locations, weights = attention_inputs()
    output = ms_deform_attn_forward(
        value, shapes, torch.tensor([0, 12]), locations, weights
    )
    torch.testing.assert_close(
        output, attend_slowly(value, shapes, locations, weights)
    )


def test_deformable_attention_gradients():
    needs_stand_in()
    from mmcv.ops.multi_scale_deform_attn import (
        MultiScaleDeformableAttnFunction,
        multi_scale_deformable_attn_pytorch,
    )

    value, shapes, locations, weights = attention_inputs()
    inputs = [
        tensor.requires_grad_() for tensor in (value, locations, weights)
    ]
    # What mmcv calls on CUDA; the stand-in does not care for the device.
    output = MultiScaleDeformableAttnFunction.apply(
        value, shapes, torch.tensor([0, 12]), locations, weights, 64
    )
    expected = multi_scale_deformable_attn_pytorch(
        value, shapes.tolist(), locations, weights
    )
    torch.testing.assert_close(output, expected)
    upstream = torch.linspace(-1, 1, output.numel()).double().view_as(output)
    torch.testing.assert_close(
        torch.autograd.grad(output, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
    )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_deformable_attention_in_half_precision(dtype):
    needs_stand_in()
    value, shapes, locations, weights = attention_inputs()
    start = torch.tensor([0, 12])
    exact = ms_deform_attn_forward(value, shapes, start, locations, weights)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        output = ms_deform_attn_forward(
            value.to(dtype), shapes, start, locations, weights
        )
    assert output.dtype == dtype
    torch.testing.assert_close(output.double(), exact, rtol=0, atol=1e-2)


def tiny_mask2former() -> dict:
    width, classes = 16, 3
    attention = dict(embed_dims=width, num_heads=2)
    ffn = dict(embed_dims=width, feedforward_channels=16)
    deformable = dict(attention, num_levels=3, num_points=2, im2col_step=64)
    layer = dict(
        self_attn_cfg=dict(attention, batch_first=True),
        cross_attn_cfg=dict(attention, batch_first=True),
        ffn_cfg=ffn,
    )
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor', size=(32, 32), seg_pad_val=255
        ),
        backbone=dict(
            type='ResNet',
            depth=18,
            base_channels=8,
            stem_channels=8,
            norm_cfg=dict(type='BN'),
            norm_eval=True,
        ),
        decode_head=dict(
            type='Mask2FormerHead',
            in_channels=[8, 16, 32, 64],
            strides=[4, 8, 16, 32],
            feat_channels=width,
            out_channels=width,
            num_classes=classes,
            num_queries=4,
            num_transformer_feat_level=3,
            pixel_decoder=dict(
                type='mmdet.MSDeformAttnPixelDecoder',
                num_outs=3,
                norm_cfg=dict(type='GN', num_groups=4),
                act_cfg=dict(type='ReLU'),
                encoder=dict(
                    num_layers=1,
                    layer_cfg=dict(
                        self_attn_cfg=dict(deformable, batch_first=True),
                        ffn_cfg=ffn,
                    ),
                ),
                positional_encoding=dict(num_feats=width // 2, normalize=True),
            ),
            positional_encoding=dict(num_feats=width // 2, normalize=True),
            transformer_decoder=dict(
                num_layers=1, layer_cfg=layer, return_intermediate=True
            ),
            loss_cls=dict(
                type='mmdet.CrossEntropyLoss',
                class_weight=[1.0] * classes + [0.1],
            ),
            loss_mask=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True),
            loss_dice=dict(type='mmdet.DiceLoss', naive_dice=True, eps=1.0),
            train_cfg=dict(
                num_points=16,
                oversample_ratio=3.0,
                importance_sample_ratio=0.75,
                assigner=dict(
                    type='mmdet.HungarianAssigner',
                    match_costs=[
                        dict(type='mmdet.ClassificationCost'),
                        dict(
                            type='mmdet.CrossEntropyLossCost', use_sigmoid=True
                        ),
                        dict(type='mmdet.DiceCost', pred_act=True, eps=1.0),
                    ],
                ),
                sampler=dict(type='mmdet.MaskPseudoSampler'),
            ),
        ),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )


def test_mask2former_trains_a_step_without_ops():
    needs_stand_in()
    from mmseg.registry import MODELS
    from mmseg.structures import SegDataSample
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    torch.manual_seed(0)
    config = ConfigDict(tiny_mask2former(), _scope_='mmseg')
    model = MODELS.build(config).train()
    sample = SegDataSample(metainfo=dict(img_shape=(32, 32)))
    labels = torch.zeros(1, 32, 32, dtype=torch.int64)
    labels[:, 8:24, 8:24] = 2
    sample.gt_sem_seg = PixelData(data=labels)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    batch = model.data_preprocessor(
        dict(
            inputs=[torch.randint(256, (3, 32, 32), dtype=torch.uint8)],
            data_samples=[sample],
        ),
        training=True,
    )
    loss, _ = model.parse_losses(model(**batch, mode='loss'))
    loss.backward()

    attention = model.decode_head.pixel_decoder.encoder.layers[0].self_attn
    before = attention.sampling_offsets.weight.clone()
    assert torch.isfinite(loss)
    assert attention.sampling_offsets.weight.grad.abs().sum() > 0
    optimizer.step()
    assert not torch.equal(before, attention.sampling_offsets.weight)


@pytest.mark.slow
def test_everything_imports_in_a_fresh_process():
    code = """
        from mmfmwsss.compat import prepare

        prepare()
        import mmdet.models
        import mmseg.models
        from mmcv.utils import collect_env
        collect_env()
    """
    subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)], check=True, timeout=120
    )
