# 10 epochs of batch 16 (section 5.2 of the paper), the rest as CoOp: SGD,
# one warm-up epoch at 1e-5, cosine by epoch.
max_epochs = 10
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
)
param_scheduler = [
    # Ends at 2: mmengine lifts the factor in the last step of the span.
    dict(type='ConstantLR', factor=0.005, begin=0, end=2),
    dict(type='CosineAnnealingLR', begin=1, end=max_epochs, eta_min=0.0),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=10**9)
randomness = dict(seed=0)
