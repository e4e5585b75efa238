# Table 5, first row: binary cross entropy instead of L_MCL, no segmentation
# task.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/binary_cross_entropy.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/binary_cross_entropy'
model = dict(
    streams=dict(
        _delete_=True,
        classification=dict(
            type='CLIPPromptHead',
            prompts={{_base_.model.streams.classification.prompts}},
            loss=dict(type='MultiLabelBCELoss'),
        ),
    ),
    training_route=None,
    routes=dict(
        _delete_=True,
        coarse_seed=dict(
            stream='classification',
            use_caa={{_base_.model.routes.fine_seed.use_caa}},
            seeder={{_base_.model.routes.fine_seed.seeder}},
        ),
    ),
)
test_evaluator = dict(prediction='coarse_seed')
