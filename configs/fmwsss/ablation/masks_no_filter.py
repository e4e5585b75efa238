# Table 4: two of the three changes to SAM, all but the filter.
# Run:   python tools/test.py configs/fmwsss/ablation/masks_no_filter.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = [
    f'../{os.environ.get("ABLATION_DATASET") or "partworld"}_sam_masks.py',
    '../../_base_/ablation.py',
]
output_dir = f'{_base_.root}/masks_no_filter'
work_dir = f'{output_dir}_run'
model = dict(
    output_dir=output_dir,
    source=dict(occupation_threshold=None),
)
