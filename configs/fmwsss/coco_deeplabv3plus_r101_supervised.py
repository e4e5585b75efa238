# The upper bound: DeepLabV3+ as in coco_deeplabv3plus_r101.py, but trained on
# the ground-truth masks of COCO 2014 train. Not weakly supervised. The paper
# quotes 60.4 mIoU on val.
# Needs: COCO 2014 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/coco_deeplabv3plus_r101_supervised.py
# Cost:  not run here, see coco_deeplabv3plus_r101.py.
_base_ = [
    '../_base_/models/deeplabv3plus_r101.py',
    '../_base_/datasets/coco14_masks.py',
    '../_base_/schedules/segmentor_deeplabv3plus_160k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/deeplabv3plus_r101_supervised'
model = dict(
    decode_head=dict(num_classes=81),  # the background is one
    auxiliary_head=dict(num_classes=81),
)
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
