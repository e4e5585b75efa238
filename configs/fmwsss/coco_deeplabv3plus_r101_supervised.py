# The upper bound: DeepLabV3+ as in coco_deeplabv3plus_r101.py, but trained on
# the ground-truth masks of COCO 2014 train. Not weakly supervised. The paper
# quotes 60.4 mIoU on val.
# Needs: COCO 2014 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/coco_deeplabv3plus_r101_supervised.py
# Cost:  not run here, see coco_deeplabv3plus_r101.py.
_base_ = './coco_deeplabv3plus_r101.py'
work_dir = 'work_dirs/coco14/deeplabv3plus_r101_supervised'
train_dataloader = dict(dataset=dict(_base_.supervised, _delete_=True))
