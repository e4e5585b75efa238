# The upper bound: Mask2Former as in voc_mask2former_swin_l.py, but trained on
# the ground-truth masks of VOC 2012 train_aug. Not weakly supervised. The
# paper quotes 86.0 mIoU on val.
# Needs: VOC 2012 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/voc_mask2former_swin_l_supervised.py
# Cost:  not run here, see voc_mask2former_swin_l.py.
_base_ = [
    '../_base_/models/mask2former_swin_l.py',
    '../_base_/datasets/voc12_masks.py',
    '../_base_/schedules/segmentor_mask2former_80k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/mask2former_swin_l_supervised'
train_dataloader = dict(batch_size=4)  # in all, as above
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
