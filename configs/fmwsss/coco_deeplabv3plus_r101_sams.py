# Test the DeepLabV3+ of coco_deeplabv3plus_r101.py with SAMS post-processing
# (Section 4.4), the power of the background left at 1.
# Needs: its checkpoint, and masks of val:
#        python tools/test.py configs/fmwsss/coco_sam_masks.py --cfg-options \
#            test_dataloader.dataset.split=val
# Run:   python tools/test.py configs/fmwsss/coco_deeplabv3plus_r101_sams.py
#        (--tta: multi-scale, refined once)
# Cost:  not run here, see coco_deeplabv3plus_r101.py.
_base_ = './coco_deeplabv3plus_r101.py'
work_dir = 'work_dirs/coco14/deeplabv3plus_r101_sams'
load_from = 'work_dirs/coco14/deeplabv3plus_r101/iter_160000.pth'
train_command = (
    'python tools/train.py configs/fmwsss/coco_deeplabv3plus_r101.py'
)
model = dict(_base_.refined, segmentor=_base_.model)
test_pipeline = _base_.sams_pipeline
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
tta_pipeline = _base_.sams_tta_pipeline
tta_model = dict(type='RefinedSegTTAModel')
test_evaluator = dict(protocol='single scale, SAMS')
