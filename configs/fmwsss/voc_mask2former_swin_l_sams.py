# Test the Mask2Former of voc_mask2former_swin_l.py with SAMS post-processing
# (Section 4.4), the power of the background left at 1. In the paper SAMS
# lowers Mask2Former: 82.2 mIoU, and 82.6 without.
# Needs: its checkpoint, and masks of val:
#        python tools/test.py configs/fmwsss/voc_sam_masks.py --cfg-options \
#            test_dataloader.dataset.image_list=ImageSets/Segmentation/val.txt
# Run:   python tools/test.py configs/fmwsss/voc_mask2former_swin_l_sams.py
#        (--tta: multi-scale, refined once)
# Cost:  not run here, see voc_mask2former_swin_l.py.
_base_ = './voc_mask2former_swin_l.py'
work_dir = 'work_dirs/voc12/mask2former_swin_l_sams'
load_from = 'work_dirs/voc12/mask2former_swin_l/iter_80000.pth'
train_command = (
    'python tools/train.py configs/fmwsss/voc_mask2former_swin_l.py'
)
model = dict(_base_.refined, segmentor=_base_.model)
test_pipeline = _base_.sams_pipeline
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
tta_pipeline = _base_.sams_tta_pipeline
tta_model = dict(type='RefinedSegTTAModel')
test_evaluator = dict(protocol='single scale, SAMS')
