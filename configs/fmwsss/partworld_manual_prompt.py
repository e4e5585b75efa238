# Baseline: the fine-seed route with a manual template, nothing learnt.
# Needs: data/partworld and the masks of partworld_sam_masks.py.
# Run:   python tools/test.py configs/fmwsss/partworld_manual_prompt.py
# Cost:  about 20 seconds on 2 cores.
_base_ = './partworld_prompt.py'
work_dir = 'work_dirs/partworld/manual_prompt'
model = dict(
    streams=dict(
        _delete_=True,
        manual=dict(type='CLIPPromptHead', prompts=_base_.manual_prompts),
    ),
    training_route=None,
    routes=dict(
        _delete_=True,
        fine_seed=dict(
            stream='manual',
            use_caa=False,
            seeder=dict(type='SAMS', alpha=0.6),
        ),
    ),
)
