# Learn both sets of prompts on your own photos from their tags alone: the
# recipe of voc_prompt.py (CoOp's, and the official code's colour jitter). A
# test writes the seeds, as custom_seed.py says.
# Needs: the settings of custom.py, the masks of custom_sam_masks.py, and the
#        weights of the CLIP that $CUSTOM_MODELS chooses, see custom.py.
# Run:   python tools/train.py configs/fmwsss/custom_prompt.py
# Cost:  CUSTOM_MODELS=photo: 1.2 s of one CPU thread an update of 16 photos
#        (the 100 of 50 photos measured); with the full models not run.
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_'
    f'{os.environ.get("CUSTOM_MODELS") or "vit_b16"}.py',
    '../_base_/schedules/prompt_coop.py',
    '../_base_/models/custom_'
    f'{os.environ.get("CUSTOM_MODELS") or "vit_b16"}.py',
    './custom.py',
]
work_dir = f'{_base_.work}/prompt'
model = dict(_base_.prompt_model, class_prompts=_base_.class_prompts)
optim_wrapper = dict(optimizer=dict(lr=_base_.prompt_rate))
train_dataloader = dict(
    batch_size=_base_.batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,  # there may be fewer photos than a batch
    sampler=dict(type='ReproducibleSampler'),
    dataset=dict(
        _base_.photos,
        drop_unlabelled=True,
        pipeline=[
            dict(type='LoadImageStrict'),
            _base_.load_masks,
            dict(type='ReproducibleAugmentation'),
            # As the official code: colours first, then the scale.
            dict(type='RandomColourJitter'),
            dict(
                type='RandomLongSideResize',
                low=_base_.prompt_sides[0],
                high=_base_.prompt_sides[1],
                min_short=_base_.prompt_crop,
            ),
            dict(type='RandomCropWithMasks', crop_size=_base_.prompt_crop),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackWSSSInputs'),
        ],
    ),
)
test_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    # Not random: photos of all sizes are seen at one.
    dict(
        type='RandomLongSideResize',
        low=_base_.seed_side,
        high=_base_.seed_side,
        min_short=_base_.patch_size,
    ),
    dict(type='ResizeToPatchMultiple', patch_size=_base_.patch_size),
    # Seeds are made at the original size.
    dict(_base_.load_masks, follow_image=False),
    dict(type='PackWSSSInputs'),
]
test_dataloader = dict(
    _base_.one_by_one,
    dataset=dict(
        _base_.photos,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_cfg = dict()
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    output_dir=_base_.seed_dir,
    ground_truth_dir=None,
    split='own photos',
    protocol='single scale',
)
epochs = _base_.prompt_epochs
param_scheduler = [
    _base_.warm_up,
    dict(_base_.cosine, end=epochs, T_max=epochs),
]
if epochs == 1:  # the warm-up alone learns nothing
    param_scheduler = [dict(_base_.cosine, begin=0, end=1)]
train_cfg = dict(max_epochs=epochs)
log_processor = dict(by_epoch=True)
default_hooks = dict(
    logger=dict(interval=10, log_metric_by_epoch=True),
    checkpoint=dict(by_epoch=True, interval=1, max_keep_ckpts=1),
)
