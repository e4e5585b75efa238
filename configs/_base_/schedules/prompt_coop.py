# CoOp's recipe, which all joint trainings of prompts share: SGD at 0.002, one
# warm-up epoch at 1e-5, then a cosine by epoch. As in CoOp, the cosine's
# period is the number of all epochs although the warm-up takes one of them:
# it ends two steps above 0, at a tenth of the rate for 10 epochs. A config
# says how long, and puts the two parts together:
#   max_epochs = 25
#   param_scheduler = [
#       _base_.warm_up, dict(_base_.cosine, end=max_epochs, T_max=max_epochs)
#   ]
#   train_cfg = dict(max_epochs=max_epochs)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.002, momentum=0.9, weight_decay=5e-4),
)
# Ends at 2: mmengine lifts the factor in the last step of the span, and never
# where the span has one step.
warm_up = dict(type='ConstantLR', factor=0.005, begin=0, end=2)
cosine = dict(type='CosineAnnealingLR', begin=1, eta_min=0.0)
train_cfg = dict(by_epoch=True, val_interval=10**9)
randomness = dict(seed=0)
