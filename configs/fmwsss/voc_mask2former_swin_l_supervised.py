# The upper bound: Mask2Former as in voc_mask2former_swin_l.py, but trained on
# the ground-truth masks of VOC 2012 train_aug. Not weakly supervised. The
# paper quotes 86.0 mIoU on val.
# Needs: VOC 2012 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/voc_mask2former_swin_l_supervised.py
# Cost:  not run here, see voc_mask2former_swin_l.py.
_base_ = './voc_mask2former_swin_l.py'
work_dir = 'work_dirs/voc12/mask2former_swin_l_supervised'
train_dataloader = dict(dataset=dict(_base_.supervised, _delete_=True))
