# The same for COCO: 160,000 iterations, from the names of the official runs
# (`d3p-r1d8-bt16-160e`, inferred).
_base_ = './segmentor_deeplabv3plus_40k.py'
max_iters = 160000
param_scheduler = [
    dict(
        type='PolyLR',
        power=0.9,
        eta_min=1e-4,
        by_epoch=False,
        begin=0,
        end=max_iters,
    )
]
train_cfg = dict(max_iters=max_iters)
