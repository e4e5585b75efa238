# The same for COCO: 160,000 iterations, from the names of the official runs
# (`d3p-r1d8-bt16-160e`, inferred).
_base_ = './segmentor_deeplabv3plus_40k.py'
max_iters = 160000
param_scheduler = [dict(_base_.poly, end=max_iters)]
train_cfg = dict(max_iters=max_iters)
