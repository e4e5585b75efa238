# CoOp's recipe in small, by iterations: SGD, constant warm-up, cosine down to
# zero. (CoOp's own cosine, as in prompt_coop.py, ends a little above it; the
# figures of the tables were measured with this one.)
max_iters = 400
warmup_iters = 20
# Images an update; a training with others says so.
auto_scale_lr = dict(enable=False, base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [
    dict(
        type='ConstantLR',
        factor=0.005,
        by_epoch=False,
        begin=0,
        end=warmup_iters + 1,  # mmengine restores the rate a step early
    ),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=warmup_iters,
        end=max_iters,
        eta_min=0.0,
    ),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=10**9
)
randomness = dict(seed=0)
