# Table 4: of the three changes to SAM only the lower threshold for whole
# masks.
# Run:   python tools/test.py configs/fmwsss/ablation/masks_more_whole.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = [
    f'../{os.environ.get("ABLATION_DATASET") or "partworld"}_sam_masks.py',
    '../../_base_/ablation.py',
]
output_dir = f'{_base_.root}/masks_more_whole'
work_dir = f'{output_dir}_run'
model = dict(
    output_dir=output_dir,
    source=dict(whole_first_nms=False, occupation_threshold=None),
)
