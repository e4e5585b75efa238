# Mask2Former on Swin-L (window 12, ImageNet-22k), as mmseg's
# `mask2former_swin-l-in22k-384x384-pre`, for crops of 512 x 512.
# The weights of Swin-L are mmseg's
# `swin_large_patch4_window12_384_22k_20220412-6580f57d.pth`, by local path;
# see docs/voc_and_coco.md for where to get them.
os = __import__('os')

_base_ = './mask2former.py'
pretrained = (
    os.environ.get('SWIN_L_22K')
    or 'weights/swin_large_patch4_window12_384_22k_20220412-6580f57d.pth'
)
pretrained_remedy = (
    'Get it with `python tools/get_weights.py swin_l_22k`, or set '
    '$SWIN_L_22K to its path. To train from scratch: --cfg-options '
    'model.backbone.init_cfg=None'
)
data_preprocessor = dict(size=(512, 512))
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='SwinTransformer',
        pretrain_img_size=384,
        embed_dims=192,
        depths=[2, 2, 18, 2],
        num_heads=[6, 12, 24, 48],
        window_size=12,
        mlp_ratio=4,
        qkv_bias=True,
        drop_path_rate=0.3,
        patch_norm=True,
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(type='Pretrained', checkpoint=pretrained),
    ),
    decode_head=dict(in_channels=[192, 384, 768, 1536]),
)
