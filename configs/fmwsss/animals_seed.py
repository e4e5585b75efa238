# Seeds of VOC-Animals train_aug from the learnt prompts: palette PNGs and
# mIoU. `fine_seed` is what stage 2 trains on; the other routes are baselines,
# made from the same features in the same run, each at its default alpha.
# Needs: the checkpoint of animals_prompt.py.
# Run:   python tools/test.py configs/fmwsss/animals_seed.py
# Cost:  0.3 s of one CPU thread a photo, all five routes.
_base_ = './animals_prompt.py'
work_dir = 'work_dirs/animals/seed'
load_from = f'work_dirs/animals/prompt/epoch_{_base_.epochs}.pth'
train_command = 'python tools/train.py configs/fmwsss/animals_prompt.py'

sams = dict(type='SAMS', alpha=0.6)
argmax = dict(type='ArgmaxSeeder', alpha=1.0)
model = dict(
    main_route='fine_seed',
    routes=dict(
        fine_seed=dict(seeder=sams),
        fine_seed_no_caa=dict(
            stream='segmentation', use_caa=False, seeder=sams
        ),
        coarse_seed=dict(stream='classification', seeder=sams),
        cam=dict(stream='segmentation', use_caa=False, seeder=argmax),
        cam_caa=dict(stream='segmentation', seeder=argmax),
    ),
)
test_evaluator = [
    dict(
        _base_.test_evaluator,
        prediction=route,
        prefix=route,
        output_dir=f'{work_dir}/{route}',
    )
    for route in model['routes']
]
