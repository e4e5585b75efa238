# SAM's masks of all PartWorld pictures, one JSON file each.
# Run:   python tools/test.py configs/fmwsss/partworld_sam_masks.py
# Cost:  about 2 minutes on 2 cores (1,200 pictures).
_base_ = [
    '../_base_/models/sam_masks.py',
    '../_base_/models/sam_tiny.py',
    '../_base_/datasets/partworld_image_labels.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/partworld/sam_masks_run'
model = dict(source=_base_.sam, output_dir='work_dirs/partworld/sam_masks')
train_dataloader = None
test_dataloader = dict(
    dataset=dict(
        image_list=None,  # every picture of image_labels.txt
        pipeline=_base_.mask_pipeline,
    )
)
test_cfg = dict()
test_evaluator = dict(type='SAMMaskReport')
