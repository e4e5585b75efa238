# SAMS on masks made without some of the paper's three changes (Table 4).
# Needs: the prompts of prompts.py and the masks of masks_*.py, all here.
# Run:   python tools/test.py configs/fmwsss/ablation/mask_settings.py \
#            PROMPT_RUN
# Cost:  on PartWorld about 1 minute on a core.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/mask_settings'
masks = f'{_base_.root}/masks'
sams = {{_base_.model.routes.fine_seed.seeder}}
cam = dict(stream='segmentation', use_caa=False, seeder=sams)
routes = dict(
    plain=dict(cam, mask_dir=f'{masks}_plain'),
    more_whole=dict(cam, mask_dir=f'{masks}_more_whole'),
    nms_priority=dict(cam, mask_dir=f'{masks}_nms_priority'),
    no_filter=dict(cam, mask_dir=f'{masks}_no_filter'),
)
model = dict(
    routes=dict(_delete_=True, **routes),
    main_route='no_filter',
)
test_evaluator = [
    dict(
        _base_.test_evaluator,
        prediction=route,
        prefix=route,
    )
    for route in routes
]
