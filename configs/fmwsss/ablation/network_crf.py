# Table 3: the network of network.py here with a dense CRF as post-processing.
# Needs: its checkpoint.
# Run:   python tools/test.py configs/fmwsss/ablation/network_crf.py RUN
# Cost:  on PartWorld about 1 minute on a core.
_base_ = [
    f'../{os.environ.get("ABLATION_NETWORK") or "partworld_deeplabv3plus"}.py',
    '../../_base_/ablation.py',
]
work_dir = f'{_base_.folder}/{_base_.network}_crf'
randomness = dict(seed=_base_.seed)
train_dataloader = dict(
    dataset=dict(seed_dir=f'{_base_.folder}/seeds/fine_seed')
)
model = dict(
    _base_.refined,
    segmentor=_base_.model,
    refiner=dict(type='DenseCRF'),
)
