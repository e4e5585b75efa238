# Table 4: of the three changes to SAM only the priority of whole masks in
# non-maximum suppression.
# Run:   python tools/test.py configs/fmwsss/ablation/masks_nms_priority.py
# Cost:  on PartWorld about 2 minutes on 2 cores.
_base_ = [
    f'../{os.environ.get("ABLATION_DATASET") or "partworld"}_sam_masks.py',
    '../../_base_/ablation.py',
]
output_dir = f'{_base_.root}/masks_nms_priority'
work_dir = f'{output_dir}_run'
model = dict(
    output_dir=output_dir,
    source=dict(whole_iou_bonus=0.0, occupation_threshold=None),
)
