# Table 2, last row: the paper's segmentation prompts, names in front and none
# in the backgrounds. Where a data set's own prompts are those, prompts.py here
# is this row.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/nameless_background.py
# Cost:  as prompts.py here.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/nameless_background'
model = dict(
    streams=dict(
        segmentation=dict(
            prompts=dict(name_position='front', nameless_background=True)
        )
    )
)
