# Stage 2: Mask2Former (ResNet-18, from scratch) on PartWorld's fine seeds.
# Needs: the seeds of partworld_seed.py.
# Run:   python tools/train.py configs/fmwsss/partworld_mask2former.py
#        python tools/test.py configs/fmwsss/partworld_mask2former.py \
#            work_dirs/partworld/mask2former/iter_600.pth
# Cost:  about 5 minutes on 2 cores to train.
_base_ = [
    '../_base_/models/mask2former_r18.py',
    '../_base_/datasets/partworld_seeds.py',
    '../_base_/schedules/segmentor_partworld.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/partworld/mask2former'
optim_wrapper = dict(
    optimizer=dict(lr=5e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=0.1),
)
