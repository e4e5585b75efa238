# Table 2, third row: class-specific contexts, the name in front, named
# backgrounds.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/prepend_name.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/prepend_name'
model = dict(
    streams=dict(
        segmentation=dict(
            prompts=dict(name_position='front', nameless_background=False)
        )
    )
)
