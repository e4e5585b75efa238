# Multi-label mAP of the classification prompts on VOC 2012 train_aug, from
# image-level labels alone: no mask is read, not even SAM's.
# Needs: the checkpoint of voc_prompt.py.
# Run:   python tools/test.py configs/fmwsss/voc_classification.py
# Cost:  not run here, see voc_prompt.py.
_base_ = './voc_prompt.py'
work_dir = 'work_dirs/voc12/classification'
load_from = 'work_dirs/voc12/prompt/prompts.pth'
train_command = 'python tools/train.py configs/fmwsss/voc_prompt.py'
model = dict(routes=dict(_delete_=True))
# No masks.
test_pipeline = [*_base_.seed_pipeline[:2], _base_.seed_pipeline[-1]]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_evaluator = dict(
    _delete_=True, type='ImageLabelMetric', split='VOC 2012 train_aug'
)
