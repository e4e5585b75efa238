# Learn both sets of prompts on PartWorld from image-level labels (paper's
# joint recipe).
# Needs: data/partworld and the masks of partworld_sam_masks.py.
# Run:   python tools/train.py configs/fmwsss/partworld_prompt.py
# Cost:  about 2 minutes on 2 cores.
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_tiny.py',
    '../_base_/datasets/partworld_image_labels.py',
    '../_base_/schedules/prompt_partworld.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/partworld/prompt'
model = _base_.prompt_model
test_pipeline = _base_.seed_pipeline
test_cfg = dict()
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    ground_truth_dir=f'{_base_.data_root}/SegmentationClass',
    split='PartWorld train',
    protocol='single scale',
)
