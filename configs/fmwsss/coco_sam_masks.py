# SAM's masks of COCO 2014 train, with the paper's three changes.
# Needs: COCO 2014, and sam_vit_h_4b8939.pth in weights/ (or $SAM_VIT_H).
# Run:   python tools/test.py configs/fmwsss/coco_sam_masks.py
#        (several GPUs: torchrun ... --launcher pytorch; it resumes)
# Cost:  not run here; it needs a GPU, the data and the weights.
os = __import__('os')

_base_ = [
    '../_base_/datasets/coco14_image_labels.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/sam_masks_run'
model = dict(
    type='SAMMaskGenerator',
    output_dir='work_dirs/coco14/sam_masks',
    source=dict(
        type='SAMEverything',
        arch='vit_h',
        checkpoint=os.environ.get('SAM_VIT_H')
        or 'weights/sam_vit_h_4b8939.pth',
    ),
)
train_dataloader = None
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadImageStrict'),
            dict(type='PackWSSSInputs'),
        ],
    )
)
test_cfg = dict()
test_evaluator = dict(type='SAMMaskReport')
