# Table 3: a network trained on the fine seeds of seeds.py here, without
# post-processing. The variable names its config.
# Needs: the seeds of seeds.py here.
# Run:   python tools/train.py configs/fmwsss/ablation/network.py
#        python tools/test.py configs/fmwsss/ablation/network.py RUN
# Cost:  on PartWorld 2 (DeepLabV3+) or 5 (Mask2Former) minutes on 2 cores.
_base_ = [
    f'../{os.environ.get("ABLATION_NETWORK") or "partworld_deeplabv3plus"}.py',
    '../../_base_/ablation.py',
]
work_dir = f'{_base_.folder}/{_base_.network}'
randomness = dict(seed=_base_.seed)
train_dataloader = dict(
    dataset=dict(seed_dir=f'{_base_.folder}/seeds/fine_seed')
)
