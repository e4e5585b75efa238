# The upper bound: DeepLabV3+ as in voc_deeplabv3plus_r101.py, but trained on
# the ground-truth masks of VOC 2012 train_aug. Not weakly supervised. The
# paper quotes 79.5 mIoU on val.
# Needs: VOC 2012 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/voc_deeplabv3plus_r101_supervised.py
# Cost:  not run here, see voc_deeplabv3plus_r101.py.
_base_ = './voc_deeplabv3plus_r101.py'
work_dir = 'work_dirs/voc12/deeplabv3plus_r101_supervised'
train_dataloader = dict(dataset=dict(_base_.supervised, _delete_=True))
