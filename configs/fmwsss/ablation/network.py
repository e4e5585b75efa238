# Table 3: a network trained on the fine seeds of seeds.py here, without
# post-processing. The variable names its config.
# Needs: the seeds of seeds.py here.
# Run:   python tools/train.py configs/fmwsss/ablation/network.py
#        python tools/test.py configs/fmwsss/ablation/network.py RUN
# Cost:  on PartWorld 2 (DeepLabV3+) or 5 (Mask2Former) minutes on 2 cores.
os = __import__('os')

_base_ = (
    f'../{os.environ.get("ABLATION_NETWORK") or "partworld_deeplabv3plus"}.py'
)
network = os.environ.get('ABLATION_NETWORK') or 'partworld_deeplabv3plus'
seed = int(os.environ.get('ABLATION_SEED') or '0')
folder = os.environ.get('ABLATION_RUN') or 'work_dirs/ablation/partworld/seed0'
work_dir = f'{folder}/{network}'
randomness = dict(seed=seed)
train_dataloader = dict(dataset=dict(seed_dir=f'{folder}/seeds/fine_seed'))
