# The paper's prompts with a seed of your choice: the last rows of Tables 1, 2,
# 4 and 5, and what the other configs here vary. The variables name the data
# set (partworld, voc, coco), the seed and the masks to score against.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/prompts.py
#        (all tables: python tools/reproduce_tables.py)
# Cost:  on PartWorld about 2 minutes on 2 cores.
os = __import__('os')

_base_ = [
    f'../{os.environ.get("ABLATION_DATASET") or "partworld"}_prompt.py',
    '../../_base_/ablation.py',
]
work_dir = f'{_base_.folder}/prompts'
randomness = dict(seed=_base_.seed)
model = dict(
    streams=dict(
        classification=dict(prompts=dict(init_seed=2 * _base_.seed)),
        segmentation=dict(prompts=dict(init_seed=2 * _base_.seed + 1)),
    ),
)
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    ground_truth_dir=(
        os.environ.get('ABLATION_GROUND_TRUTH')
        or 'data/partworld/SegmentationClass'
    ),
    split=f'{_base_.dataset} train',
    protocol='single scale',
)
