# Stage 2 on VOC-Animals: AdamW, a tenth of the rate for the backbone, poly
# decay, 10 passes over the 800 photos in batches of 8. The rate was chosen by
# how the loss on the seeds falls; no mask was looked at.
# $ANIMALS_NETWORK_ITERATIONS: fewer iterations.
os = __import__('os')

_base_ = './segmentor_partworld.py'
max_iters = int(os.environ.get('ANIMALS_NETWORK_ITERATIONS') or '1000')
# Images an update; a training with others says so.
auto_scale_lr = dict(enable=False, base_batch_size=8)
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], end=max_iters),
]
train_cfg = dict(max_iters=max_iters)
