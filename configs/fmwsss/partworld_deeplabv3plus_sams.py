# Test the DeepLabV3+ of partworld_deeplabv3plus.py with SAMS post-processing.
# Needs: its checkpoint, and the masks of partworld_sam_masks.py.
# Run:   python tools/test.py configs/fmwsss/partworld_deeplabv3plus_sams.py
# Cost:  about 20 seconds on 2 cores.
_base_ = './partworld_deeplabv3plus.py'
work_dir = 'work_dirs/partworld/deeplabv3plus_sams'
load_from = 'work_dirs/partworld/deeplabv3plus/iter_600.pth'
train_command = (
    'python tools/train.py configs/fmwsss/partworld_deeplabv3plus.py'
)
model = dict(_base_.refined, segmentor=_base_.model)
test_pipeline = _base_.sams_pipeline
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
tta_pipeline = _base_.sams_tta_pipeline
tta_model = dict(type='RefinedSegTTAModel')
