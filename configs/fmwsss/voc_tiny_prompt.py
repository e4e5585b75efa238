# To try the commands on VOC 2012: prompts of the tiny CLIP, which was trained
# on drawn pictures; the recipe of voc_prompt.py.
# Needs: VOC 2012 in data/VOCdevkit/VOC2012 (or $VOC12_ROOT), the masks of
#        voc_tiny_sam_masks.py.
# Run:   python tools/train.py configs/fmwsss/voc_tiny_prompt.py
# Cost:  1.8 s of one CPU thread for a batch of 3 (5 measured, beside other
#        work).
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_tiny.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/voc12_image_labels.py',
    '../_base_/schedules/prompt_coop.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12_tiny/prompt'
mask_dir = 'work_dirs/voc12_tiny/sam_masks'
crop_size = 112  # pixels, as the sizes below are those of PartWorld
model = dict(_base_.prompt_model, class_prompts='voc12')
train_pipeline = [
    _base_.prompt_pipeline[0],
    dict(type='LoadSAMMasks', mask_dir=mask_dir),
    *_base_.prompt_pipeline[2:4],
    dict(type='RandomLongSideResize', low=112, high=176, min_short=crop_size),
    dict(type='RandomCropWithMasks', crop_size=crop_size),
    *_base_.prompt_pipeline[6:],
]
test_pipeline = [
    _base_.seed_pipeline[0],
    dict(type='RandomLongSideResize', low=144, high=144, min_short=8),
    dict(type='ResizeToPatchMultiple', patch_size=8),
    dict(type='LoadSAMMasks', mask_dir=mask_dir, follow_image=False),
    _base_.seed_pipeline[-1],
]
train_dataloader = dict(dataset=dict(_base_.photos, pipeline=train_pipeline))
test_dataloader = dict(
    dataset=dict(_base_.photos, test_mode=True, pipeline=test_pipeline)
)
test_evaluator = dict(split=_base_.split)
log_processor = dict(by_epoch=True)
default_hooks = _base_.epoch_hooks
