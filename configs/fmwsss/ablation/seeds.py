# The rows of Tables 1, 4 and 5 that differ in the seeder, with the prompts of
# one run: trunk and CAMs are made once for all of them.
# Needs: the prompts of prompts.py here, the masks of the data set.
# Run:   python tools/test.py configs/fmwsss/ablation/seeds.py PROMPT_RUN
# Cost:  on PartWorld about 4 minutes on a core, most of it the CRF.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/seeds'

use_caa = {{_base_.model.routes.fine_seed.use_caa}}
argmax, voting = dict(type='ArgmaxSeeder'), dict(type='MaskVoting')
crf, sams = dict(type='DenseCRF'), {{_base_.model.routes.fine_seed.seeder}}
classification = dict(stream='classification', use_caa=use_caa)
cam = dict(stream='segmentation', use_caa=False)
cam_caa = dict(stream='segmentation', use_caa=True)
routes = dict(
    # Table 1: M3 (from the base), M2, M1, M0
    segmentation_crf=dict(stream='segmentation', use_caa=use_caa, seeder=crf),
    coarse_seed=dict(classification, seeder=sams),
    classification_crf=dict(classification, seeder=crf),
    # Table 4
    cam=dict(cam, seeder=argmax),
    cam_caa=dict(cam_caa, seeder=argmax),
    voting=dict(cam, seeder=voting),
    voting_caa=dict(cam_caa, seeder=voting),
    sams=dict(cam, seeder=sams),
    sams_caa=dict(cam_caa, seeder=sams),
)
model = dict(routes=routes, main_route='fine_seed')
test_evaluator = [
    dict(
        _base_.test_evaluator,
        prediction=route,
        prefix=route,
        output_dir=f'{work_dir}/{route}',
    )
    for route in ['fine_seed', *routes]
]
