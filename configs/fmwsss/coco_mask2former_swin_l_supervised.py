# The upper bound: Mask2Former as in coco_mask2former_swin_l.py, but trained on
# the ground-truth masks of COCO 2014 train. Not weakly supervised. The paper
# quotes 66.7 mIoU on val.
# Needs: COCO 2014 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/coco_mask2former_swin_l_supervised.py
# Cost:  not run here, see coco_mask2former_swin_l.py.
_base_ = [
    '../_base_/models/mask2former_swin_l.py',
    '../_base_/datasets/coco14_masks.py',
    '../_base_/schedules/segmentor_mask2former_100k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/mask2former_swin_l_supervised'
num_classes = 81  # the background is one
model = dict(
    decode_head=dict(
        num_classes=num_classes,
        loss_cls=dict(class_weight=[1.0] * num_classes + [0.1]),
    )
)
train_dataloader = dict(batch_size=4)  # in all, as above
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
