# CoOp's recipe, which all joint trainings of prompts share: SGD at 0.002, one
# warm-up epoch at 1e-5, then a cosine by epoch. As in CoOp, the cosine's
# period is the number of all epochs although the warm-up takes one of them:
# it ends two steps above 0, at a tenth of the rate for 10 epochs. 25 epochs of
# batch 16 as for VOC (section 5.2 of the paper); another number is set by
#   param_scheduler = [
#       _base_.warm_up, dict(_base_.cosine, end=10, T_max=10)
#   ]
#   train_cfg = dict(max_epochs=10)
# Images an update; a training with others says so.
auto_scale_lr = dict(enable=False, base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
)
# Ends at 2: mmengine lifts the factor in the last step of the span, and never
# where the span has one step.
warm_up = dict(type='ConstantLR', factor=0.005, begin=0, end=2)
cosine = dict(type='CosineAnnealingLR', begin=1, eta_min=0.0)
param_scheduler = [warm_up, dict(cosine, end=25, T_max=25)]
train_cfg = dict(by_epoch=True, max_epochs=25, val_interval=10**9)
randomness = dict(seed=0)
# Logs and checkpoints by epoch: default_hooks = _base_.epoch_hooks
epoch_hooks = dict(
    logger=dict(log_metric_by_epoch=True),
    checkpoint=dict(by_epoch=True, interval=1),
)
