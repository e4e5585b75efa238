# The same for COCO: 100,000 iterations, as the official run is called
# (`m2f-sl22-bt4-100k-512x-COCO`; the authors report iteration 90,000).
_base_ = './segmentor_mask2former_80k.py'
max_iters = 100000
param_scheduler = [dict(_base_.poly, end=max_iters)]
train_cfg = dict(max_iters=max_iters)
