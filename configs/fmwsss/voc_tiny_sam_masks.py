# To try the commands on VOC 2012: masks of the tiny SAM, which was trained on
# drawn pictures and knows no photo.
# Needs: VOC 2012 in data/VOCdevkit/VOC2012 (or $VOC12_ROOT).
# Run:   python tools/test.py configs/fmwsss/voc_tiny_sam_masks.py
# Cost:  11 s of one CPU thread a photo (3 measured, beside other work).
_base_ = [
    '../_base_/models/sam_masks.py',
    '../_base_/models/sam_tiny.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/voc12_image_labels.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12_tiny/sam_masks_run'
model = dict(source=_base_.sam, output_dir='work_dirs/voc12_tiny/sam_masks')
train_dataloader = None
test_dataloader = dict(
    dataset=dict(_base_.test_set, pipeline=_base_.mask_pipeline)
)
test_evaluator = dict(_delete_=True, type='SAMMaskReport')
