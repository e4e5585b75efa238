# MobileSAM's masks of VOC-Animals train_aug, with the paper's three changes;
# one JSON file each, and it resumes.
# Needs: VOC 2012 in data/VOCdevkit/VOC2012 (or $VOC12_ROOT), mobile_sam.pt in
#        weights/ (or $MOBILE_SAM): python tools/get_weights.py mobile_sam
# Run:   python tools/test.py configs/fmwsss/animals_sam_masks.py
# Cost:  3.6 s of one CPU thread a photo (8 photos measured), some 50 minutes
#        for the 800.
_base_ = [
    '../_base_/models/sam_masks.py',
    '../_base_/models/sam_mobile.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/animals_image_labels.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/animals/sam_masks_run'
model = dict(source=_base_.sam, output_dir=_base_.mask_dir)
train_dataloader = None
test_dataloader = dict(
    num_workers=2,
    dataset=dict(_base_.test_set, pipeline=_base_.mask_pipeline),
)
test_evaluator = dict(_delete_=True, type='SAMMaskReport')
