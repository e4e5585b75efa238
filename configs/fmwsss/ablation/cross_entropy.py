# Table 5, third row: pixel-wise cross entropy instead of L_CAL.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/cross_entropy.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/cross_entropy'
model = dict(
    streams=dict(
        segmentation=dict(loss=dict(_delete_=True, type='CAMCrossEntropyLoss'))
    )
)
