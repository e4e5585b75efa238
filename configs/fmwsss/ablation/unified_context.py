# Table 2, first row: one context for all classes of the segmentation prompts,
# names at the end, as the classification prompts have it.
# Needs: the masks of the data set.
# Run:   python tools/train.py configs/fmwsss/ablation/unified_context.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = './prompts.py'
work_dir = f'{_base_.folder}/unified_context'
model = dict(
    streams=dict(
        segmentation=dict(
            prompts=dict(
                class_specific=False,
                name_position='end',
                nameless_background=False,
            )
        )
    )
)
