# Table 3: the network of network.py here with a dense CRF as post-processing.
# Needs: its checkpoint.
# Run:   python tools/test.py configs/fmwsss/ablation/network_crf.py RUN
# Cost:  on PartWorld about 1 minute on a core.
_base_ = './network.py'
work_dir = f'{_base_.folder}/{_base_.network}_crf'
model = dict(
    _delete_=True,
    type='RefinedSegmentor',
    segmentor={{_base_.model}},
    refiner=dict(type='DenseCRF'),
)
