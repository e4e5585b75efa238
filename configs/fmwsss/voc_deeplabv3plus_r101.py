# Stage 2: DeepLabV3+ (ResNet-101) on the fine seeds of VOC 2012 train_aug:
# crops of 512, batch 16, 40,000 iterations; where each number is from is said
# in schedules/segmentor_deeplabv3plus_40k.py. The paper reports 75.9 mIoU on
# val, multi-scale, and 77.3 with SAMS.
# Needs: VOC 2012 (or $VOC12_ROOT), the seeds of voc_seed.py, and the weights
#        of the backbone in weights/ (or $RESNET101_V1C); docs/voc_and_coco.md.
# Run:   python tools/train.py configs/fmwsss/voc_deeplabv3plus_r101.py
#        python tools/test.py configs/fmwsss/voc_deeplabv3plus_r101.py \
#            work_dirs/voc12/deeplabv3plus_r101/iter_40000.pth
#        (--tta: multi-scale)
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/deeplabv3plus_r101.py',
    '../_base_/datasets/voc12_seeds.py',
    '../_base_/schedules/segmentor_deeplabv3plus_40k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/deeplabv3plus_r101'
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
