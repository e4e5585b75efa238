# To try the commands on VOC 2012: a small DeepLabV3+ (ResNet-18 of half width,
# from scratch) on the seeds of the tiny models, scored as the others.
# Needs: VOC 2012 (or $VOC12_ROOT), the seeds of voc_tiny_seed.py.
# Run:   python tools/train.py configs/fmwsss/voc_tiny_deeplabv3plus.py
#        python tools/test.py configs/fmwsss/voc_tiny_deeplabv3plus.py \
#            work_dirs/voc12_tiny/deeplabv3plus/iter_600.pth
# Cost:  1.9 s of one CPU thread for a batch of 3 (2 measured).
_base_ = [
    '../_base_/models/deeplabv3plus_r18.py',
    '../_base_/datasets/voc12_seeds.py',
    '../_base_/schedules/segmentor_partworld.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12_tiny/deeplabv3plus'
model = dict(decode_head=dict(num_classes=21))
scale = (256, 128)  # pixels: long side at most, short side
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(_base_.train_pipeline[3], scale=scale),
    dict(_base_.train_pipeline[4], crop_size=(112, 112)),
    *_base_.train_pipeline[5:],
]
train_dataloader = dict(
    dataset=dict(
        seed_dir='work_dirs/voc12_tiny/seed/fine_seed',
        seed_command='python tools/test.py configs/fmwsss/voc_tiny_seed.py',
        pipeline=train_pipeline,
    )
)
test_pipeline = [
    _base_.test_pipeline[0],
    dict(_base_.test_pipeline[1], scale=scale),
    _base_.test_pipeline[2],
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
