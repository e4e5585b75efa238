# Table 1, first row: a manual template and dense CRF, as in CLIP-ES; nothing
# is learnt. The same with SAMS is not in the paper.
# Needs: the masks of the data set.
# Run:   python tools/test.py configs/fmwsss/ablation/clip_es.py
# Cost:  on PartWorld about 2 minutes on a core.
_base_ = './prompts.py'
work_dir = f'{_base_.root}/clip_es'
use_caa = {{_base_.model.routes.fine_seed.use_caa}}
manual = dict(stream='manual', use_caa=use_caa)
routes = dict(
    manual_crf=dict(manual, seeder=dict(type='DenseCRF')),
    manual_sams=dict(manual, seeder={{_base_.model.routes.fine_seed.seeder}}),
)
model = dict(
    streams=dict(
        _delete_=True,
        manual=dict(type='CLIPPromptHead', prompts=_base_.manual_prompts),
    ),
    training_route=None,
    routes=dict(_delete_=True, **routes),
    main_route='manual_crf',
)
test_evaluator = [
    dict(
        _base_.test_evaluator,
        prediction=route,
        prefix=route,
        output_dir=f'{work_dir}/{route}',
    )
    for route in routes
]
