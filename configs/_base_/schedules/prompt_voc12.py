# 25 epochs of batch 16 (section 5.2 of the paper), the rest as CoOp.
_base_ = './prompt_coop.py'
max_epochs = 25
param_scheduler = [
    _base_.warm_up,
    dict(_base_.cosine, end=max_epochs, T_max=max_epochs),
]
train_cfg = dict(max_epochs=max_epochs)
