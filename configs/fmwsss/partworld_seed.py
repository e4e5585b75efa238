# Seeds of PartWorld train from the learnt prompts: palette PNGs and mIoU.
# `fine_seed` is what stage 2 trains on; the other routes are the baselines of
# Tables 1 and 4, made from the same features in the same run.
# Needs: the checkpoint of partworld_prompt.py.
# Run:   python tools/test.py configs/fmwsss/partworld_seed.py
# Cost:  about half a minute on 2 cores.
_base_ = './partworld_prompt.py'
work_dir = 'work_dirs/partworld/seed'
load_from = 'work_dirs/partworld/prompt/iter_400.pth'
train_command = 'python tools/train.py configs/fmwsss/partworld_prompt.py'

sams = dict(type='SAMS', alpha=0.6)
argmax = dict(type='ArgmaxSeeder', alpha=1.0)
model = dict(
    main_route='fine_seed',
    routes=dict(
        fine_seed=dict(seeder=sams),
        coarse_seed=dict(stream='classification', use_caa=False, seeder=sams),
        fine_seed_caa=dict(stream='segmentation', seeder=sams),
        cam=dict(stream='segmentation', use_caa=False, seeder=argmax),
        cam_caa=dict(stream='segmentation', seeder=argmax),
    ),
)
ground_truth_dir = f'{_base_.data_root}/SegmentationClass'
test_evaluator = [
    dict(
        type='SeedMetric',
        prediction=route,
        prefix=route,
        output_dir=f'{work_dir}/{route}',
        ground_truth_dir=ground_truth_dir,
        split='PartWorld train',
        protocol='single scale',
    )
    for route in model['routes']
]
