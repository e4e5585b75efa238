# Stage 2, Mask2Former: 80,000 iterations of batch 4, as the official run on
# VOC is called (`m2f-sl22-bt4-80k-512x-VOC`). The optimiser is mmseg's for
# Mask2Former (not verified to be the authors'): AdamW 1e-4, a tenth of it for
# the backbone, weight decay 0.05 but none for norms, position tables and
# queries, poly 0.9, gradients clipped at 0.01. mmseg uses it with batch 16.
# No ground truth is read while it trains: to watch the mIoU on val, set
# `train_cfg.val_interval`. The last checkpoint is the result; the authors
# report the best one on val (iteration 30,000).
max_iters = 80000
backbone_no_decay = dict(lr_mult=0.1, decay_mult=0.0)
no_decay = dict(lr_mult=1.0, decay_mult=0.0)
# Images an update; a training with others says so.
auto_scale_lr = dict(enable=False, base_batch_size=4)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=0.01, norm_type=2),
    paramwise_cfg=dict(
        # Longer keys win, and norms of the backbone come by their names.
        custom_keys={
            'backbone': dict(lr_mult=0.1, decay_mult=1.0),
            'backbone.patch_embed.norm': backbone_no_decay,
            'backbone.norm': backbone_no_decay,
            'relative_position_bias_table': backbone_no_decay,
            'query_embed': no_decay,
            'query_feat': no_decay,
            'level_embed': no_decay,
        },
        norm_decay_mult=0.0,
    ),
)
poly = dict(type='PolyLR', power=0.9, eta_min=0.0, by_epoch=False, begin=0)
param_scheduler = [dict(poly, end=max_iters)]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=10**9
)
randomness = dict(seed=0)
