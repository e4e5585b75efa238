# SAM's masks of your own photos, one JSON file each; it resumes.
# Needs: the settings of custom.py, and SAM or MobileSAM.
# Run:   python tools/test.py configs/fmwsss/custom_sam_masks.py
# Cost:  CUSTOM_MODELS=photo: 3.6 s of one CPU thread a photo of VOC (8 photos
#        measured); with the full models not run.
_base_ = [
    '../_base_/models/sam_masks.py',
    '../_base_/models/custom_'
    f'{os.environ.get("CUSTOM_MODELS") or "vit_b16"}.py',
    './custom.py',
]
work_dir = f'{_base_.work}/sam_masks_run'
model = dict(source=_base_.sam, output_dir=_base_.mask_dir)
test_dataloader = dict(
    _base_.one_by_one,
    dataset=dict(
        _base_.photos,
        test_mode=True,
        pipeline=_base_.mask_pipeline,
    ),
)
test_cfg = dict()
test_evaluator = dict(type='SAMMaskReport')
