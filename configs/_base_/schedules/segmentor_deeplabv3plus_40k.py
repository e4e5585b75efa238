# Stage 2, DeepLabV3+: SGD 0.01, momentum 0.9, weight decay 5e-4, poly 0.9 down
# to 1e-4. The paper gives no schedule: 40,000 iterations of batch 16 are read
# from the names of the official runs (`d3p-r1d8-bt16-40e`, inferred), the
# optimiser is mmseg's for VOC (not verified to be the authors').
# No ground truth is read while it trains: to watch the mIoU on val, set
# `train_cfg.val_interval`. The last checkpoint is the result.
max_iters = 40000
# Images an update; a training with others says so.
auto_scale_lr = dict(enable=False, base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
)
poly = dict(type='PolyLR', power=0.9, eta_min=1e-4, by_epoch=False, begin=0)
param_scheduler = [dict(poly, end=max_iters)]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=10**9
)
randomness = dict(seed=0)
