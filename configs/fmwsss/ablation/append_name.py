# Table 2, second row: class-specific contexts, the name after them, named
# backgrounds.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/append_name.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/append_name'
model = dict(
    streams=dict(
        segmentation=dict(
            prompts=dict(name_position='end', nameless_background=False)
        )
    )
)
