# Mask2Former at the size of PartWorld: ResNet-18, 24 queries, from scratch.
_base_ = './mask2former.py'
num_classes = 13
norm_cfg = dict(type='BN', requires_grad=True)
data_preprocessor = dict(size=(112, 112))
channels = 64
heads = 4
attention = dict(embed_dims=channels, num_heads=heads)
feedforward = dict(embed_dims=channels, feedforward_channels=192)
positions = dict(num_feats=channels // 2)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        base_channels=32,
        stem_channels=32,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        norm_cfg=norm_cfg,
        norm_eval=False,
        style='pytorch',
    ),
    decode_head=dict(
        in_channels=[32, 64, 128, 256],
        feat_channels=channels,
        out_channels=channels,
        num_classes=num_classes,
        num_queries=24,
        pixel_decoder=dict(
            norm_cfg=dict(num_groups=16),
            encoder=dict(
                num_layers=2,
                layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=feedforward),
            ),
            positional_encoding=positions,
        ),
        positional_encoding=positions,
        transformer_decoder=dict(
            num_layers=3,
            layer_cfg=dict(
                self_attn_cfg=attention,
                cross_attn_cfg=attention,
                ffn_cfg=feedforward,
            ),
        ),
        loss_cls=dict(class_weight=[1.0] * num_classes + [0.1]),
        train_cfg=dict(num_points=2048),
    ),
)
