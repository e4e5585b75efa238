# What the two runs of the released code share, on VOC as on COCO: lr 0.001, a
# warm-up at 1e-5, a cosine; the unified prompts, CAA, colours and crops. A
# config says how long, in iterations of this loop: those of the released code
# times `accumulative_counts`.
#   param_scheduler = [
#       dict(_base_.warm_up, end=501), dict(_base_.cosine, begin=500, end=1800)
#   ]
#   train_cfg = dict(max_iters=1800)
# Images an update; a training with others says so.
auto_scale_lr = dict(enable=False, base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4),
    accumulative_counts=1,
)
# Ends one later: mmengine lifts the factor in the last step of the span.
warm_up = dict(type='ConstantLR', factor=0.01, by_epoch=False, begin=0)
cosine = dict(type='CosineAnnealingLR', by_epoch=False, eta_min=0.0)
train_cfg = dict(type='IterBasedTrainLoop', val_interval=10**9)
randomness = dict(seed=0)

unified_prompts = dict(
    type='LearnablePrompts',
    context_length=16,
    class_specific=False,
    name_position='end',
    init_std=0.015,
    init_seed=2763632353,
)
classification = dict(
    type='CLIPPromptHead',
    prompts=unified_prompts,
    loss=dict(type='MultiLabelContrastiveLoss', average='pair'),
)
official_caa = dict(sinkhorn_rounds=1, power=2, official=True)
load_image = dict(type='LoadImageStrict')
colours = [
    dict(type='ReproducibleAugmentation'),
    dict(type='RandomColourJitter', official=True),
]
crop = [
    dict(type='RandomCropWithMasks', crop_size=224),
    dict(type='RandomFlip', prob=0.5),
]
pack = dict(type='PackWSSSInputs')
