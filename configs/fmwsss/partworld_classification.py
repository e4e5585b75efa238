# Multi-label mAP of the classification prompts on PartWorld train, from
# image-level labels alone: no mask is read, not even SAM's.
# Needs: the checkpoint of partworld_prompt.py.
# Run:   python tools/test.py configs/fmwsss/partworld_classification.py
# Cost:  about 10 seconds on 2 cores.
_base_ = './partworld_prompt.py'
work_dir = 'work_dirs/partworld/classification'
load_from = 'work_dirs/partworld/prompt/prompts.pth'
train_command = 'python tools/train.py configs/fmwsss/partworld_prompt.py'
model = dict(routes=dict(_delete_=True))
# No masks.
test_pipeline = [*_base_.seed_pipeline[:2], _base_.seed_pipeline[-1]]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_evaluator = dict(
    _delete_=True, type='ImageLabelMetric', split='PartWorld train'
)
