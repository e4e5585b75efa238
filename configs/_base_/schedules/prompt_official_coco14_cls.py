# The released code's schedule of COCO's classification prompts: 20,500
# iterations of 4 x 4 images, 1,000 of them warm-up; lr 0.001. The checkpoint
# that it uses is that of iteration 6,150 (1.2 epochs), where this one stops.
accumulation = 4  # iterations of this loop to one of the official code
warmup_iters = 1000 * accumulation
schedule_iters = 20500 * accumulation  # where the cosine reaches 0
max_iters = 6150 * accumulation
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4),
    accumulative_counts=accumulation,
)
param_scheduler = [
    # 1e-5. One more: mmengine lifts the factor in the last step of the span.
    dict(
        type='ConstantLR',
        factor=0.01,
        by_epoch=False,
        begin=0,
        end=warmup_iters + 1,
    ),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=warmup_iters,
        end=schedule_iters,
        eta_min=0.0,
    ),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=10**9
)
randomness = dict(seed=0)
