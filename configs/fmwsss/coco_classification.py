# Multi-label mAP of the classification prompts on COCO 2014 train, from
# image-level labels alone: no mask is read, not even SAM's.
# Needs: the checkpoint of coco_prompt.py.
# Run:   python tools/test.py configs/fmwsss/coco_classification.py
# Cost:  not run here, see coco_prompt.py.
_base_ = './coco_prompt.py'
work_dir = 'work_dirs/coco14/classification'
load_from = 'work_dirs/coco14/prompt/prompts.pth'
train_command = 'python tools/train.py configs/fmwsss/coco_prompt.py'
model = dict(routes=dict(_delete_=True))
# No masks.
test_pipeline = [*_base_.seed_pipeline[:2], _base_.seed_pipeline[-1]]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_evaluator = dict(
    _delete_=True, type='ImageLabelMetric', split='COCO 2014 train'
)
