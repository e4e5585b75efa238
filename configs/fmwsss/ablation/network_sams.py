# Table 3: the network of network.py here with SAMS as post-processing.
# Needs: its checkpoint, and the masks of the data set.
# Run:   python tools/test.py configs/fmwsss/ablation/network_sams.py RUN
# Cost:  on PartWorld about 1 minute on a core.
_base_ = './network.py'
work_dir = f'{_base_.folder}/{_base_.network}_sams'
model = dict(
    _delete_=True,
    type='RefinedSegmentor',
    segmentor={{_base_.model}},
    refiner=dict(type='SAMS'),
)
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.test_pipeline[:-1],
            _base_.load_masks,
            dict(type='PackWSSSInputs'),
        ]
    )
)
