# The paper's prompts with a seed of your choice: the last rows of Tables 1, 2,
# 4 and 5, and what the other configs here vary. The variables name the data
# set (partworld, voc, coco), the seed and the masks to score against.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/prompts.py
#        (all tables: python tools/reproduce_tables.py)
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = '../{{$ABLATION_DATASET:partworld}}_prompt.py'
seed = int('{{$ABLATION_SEED:0}}')
folder = '{{$ABLATION_RUN:work_dirs/ablation/partworld/seed0}}'
work_dir = f'{folder}/prompts'
randomness = dict(seed=seed)
model = dict(
    streams=dict(
        classification=dict(prompts=dict(init_seed=2 * seed)),
        segmentation=dict(prompts=dict(init_seed=2 * seed + 1)),
    ),
)
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    ground_truth_dir=(
        '{{$ABLATION_GROUND_TRUTH:data/partworld/SegmentationClass}}'
    ),
    split='{{$ABLATION_DATASET:partworld}} train',
    protocol='single scale',
)
