# Table 4: SAM's masks as its own everything mode gives them.
# Run:   python tools/test.py configs/fmwsss/ablation/masks_plain.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = [
    f'../{os.environ.get("ABLATION_DATASET") or "partworld"}_sam_masks.py',
    '../../_base_/ablation.py',
]
output_dir = f'{_base_.root}/masks_plain'
work_dir = f'{output_dir}_run'
model = dict(
    output_dir=output_dir,
    source=dict(
        whole_iou_bonus=0.0,
        whole_first_nms=False,
        occupation_threshold=None,
    ),
)
