# Stage 2: DeepLabV3+ (ResNet-101) on the fine seeds of COCO 2014 train: crops
# of 512, batch 16, 160,000 iterations; where each number is from is said in
# schedules/segmentor_deeplabv3plus_160k.py.
# Needs: COCO 2014 (or $COCO14_ROOT), the seeds of coco_seed.py, and the
#        weights of the backbone in weights/ (or $RESNET101_V1C);
#        docs/voc_and_coco.md.
# Run:   python tools/train.py configs/fmwsss/coco_deeplabv3plus_r101.py
#        python tools/test.py configs/fmwsss/coco_deeplabv3plus_r101.py \
#            work_dirs/coco14/deeplabv3plus_r101/iter_160000.pth
#        (--tta: multi-scale)
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/deeplabv3plus_r101.py',
    '../_base_/datasets/coco14_seeds.py',
    '../_base_/schedules/segmentor_deeplabv3plus_160k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/deeplabv3plus_r101'
model = dict(
    decode_head=dict(num_classes=81),  # the background is one
    auxiliary_head=dict(num_classes=81),
)
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
