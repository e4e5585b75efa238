# The upper bound: Mask2Former as in coco_mask2former_swin_l.py, but trained on
# the ground-truth masks of COCO 2014 train. Not weakly supervised. The paper
# quotes 66.7 mIoU on val.
# Needs: COCO 2014 with its masks, and the weights of the backbone.
# Run:   python tools/train.py \
#            configs/fmwsss/coco_mask2former_swin_l_supervised.py
# Cost:  not run here, see coco_mask2former_swin_l.py.
_base_ = './coco_mask2former_swin_l.py'
work_dir = 'work_dirs/coco14/mask2former_swin_l_supervised'
train_dataloader = dict(dataset=dict(_base_.supervised, _delete_=True))
