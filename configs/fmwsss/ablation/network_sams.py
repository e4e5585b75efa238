# Table 3: the network of network.py here with SAMS as post-processing.
# Needs: its checkpoint, and the masks of the data set.
# Run:   python tools/test.py configs/fmwsss/ablation/network_sams.py RUN
# Cost:  on PartWorld about 1 minute on a core.
_base_ = [
    f'../{os.environ.get("ABLATION_NETWORK") or "partworld_deeplabv3plus"}.py',
    '../../_base_/ablation.py',
]
work_dir = f'{_base_.folder}/{_base_.network}_sams'
randomness = dict(seed=_base_.seed)
train_dataloader = dict(
    dataset=dict(seed_dir=f'{_base_.folder}/seeds/fine_seed')
)
model = dict(_base_.refined, segmentor=_base_.model)
test_pipeline = [
    *_base_.test_pipeline[:-1],
    _base_.load_masks,
    dict(type='PackWSSSInputs'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
