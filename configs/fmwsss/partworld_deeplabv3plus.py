# Stage 2: DeepLabV3+ (ResNet-18, from scratch) on the fine seeds of PartWorld.
# Needs: the seeds of partworld_seed.py.
# Run:   python tools/train.py configs/fmwsss/partworld_deeplabv3plus.py
#        python tools/test.py configs/fmwsss/partworld_deeplabv3plus.py \
#            work_dirs/partworld/deeplabv3plus
# Cost:  about 2 minutes on 2 cores to train.
_base_ = [
    '../_base_/models/deeplabv3plus_r18.py',
    '../_base_/datasets/partworld_seeds.py',
    '../_base_/schedules/segmentor_partworld.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/partworld/deeplabv3plus'
load_from = None
