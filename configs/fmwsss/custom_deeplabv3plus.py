# Stage 2 on your own photos: DeepLabV3+ on their fine seeds, by the optimiser
# of VOC (CUSTOM_MODELS=photo: of VOC-Animals, tiny: of PartWorld). It is
# trained by epochs; the learning rate falls by poly 0.9. No mask is read. A
# test writes label maps of `predict_dir`, as custom_predict.py says.
# Needs: the seeds of custom_seed.py, and the weights of ResNet-101 in weights/
#        (or $RESNET101_V1C), with CUSTOM_MODELS=photo of EfficientNet-Lite2.
# Run:   python tools/train.py configs/fmwsss/custom_deeplabv3plus.py
# Cost:  CUSTOM_MODELS=photo: 1.9 s of one CPU thread an update of 8 photos, of
#        which there are 1,000; with the full models not run.
_base_ = [
    *(
        f'../_base_/{name}.py'
        for name in dict(
            vit_b16=(
                'models/deeplabv3plus_r101',
                'schedules/segmentor_deeplabv3plus_40k',
            ),
            photo=(
                'models/deeplabv3plus_efficientnet_lite2',
                'schedules/segmentor_animals',
            ),
            tiny=('models/deeplabv3plus_r18', 'schedules/segmentor_partworld'),
        )[os.environ.get('CUSTOM_MODELS') or 'vit_b16']
    ),
    '../_base_/models/custom_'
    f'{os.environ.get("CUSTOM_MODELS") or "vit_b16"}.py',
    './custom.py',
]
work_dir = f'{_base_.work}/deeplabv3plus'
model = dict(
    _base_.network_outputs,
    type='NamedClassesEncoderDecoder',
    class_prompts=_base_.class_prompts,
)
test_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=_base_.network_scale, keep_ratio=True),
    dict(type='PackWSSSInputs'),
]
test_time_augmentation = dict(
    type='TestTimeAug',
    transforms=[
        [
            dict(
                type='Resize',
                scale=tuple(int(n * ratio) for n in _base_.network_scale),
                keep_ratio=True,
            )
            for ratio in (0.75, 1.0, 1.25)
        ],
        [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
        [dict(type='PackWSSSInputs')],
    ],
)
tta_pipeline = [test_pipeline[0], test_time_augmentation]
tta_model = dict(type='SegTTAModel')
test_dataloader = dict(
    _base_.one_by_one,
    dataset=dict(
        type='GroundTruthDataset',
        class_prompts=_base_.class_prompts,
        data_root=_base_.data_root,
        image_dir=_base_.predict_dir,
        image_suffix=_base_.image_suffix,
        ground_truth_dir=None,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_cfg = dict()
test_evaluator = dict(
    type='SeedMetric',
    output_dir=f'{_base_.work}/predictions',
    ground_truth_dir=None,
    split='own photos',
    protocol='single scale',
)
train_dataloader = dict(
    batch_size=_base_.network_batch_size,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,  # batch norm refuses a batch of one
    sampler=dict(
        type='ReproducibleSampler', epoch_draws=_base_.network_epoch_photos
    ),
    dataset=dict(
        type='PseudoLabelDataset',
        class_prompts=_base_.class_prompts,
        data_root=_base_.data_root,
        image_dir=_base_.image_dir,
        image_suffix=_base_.image_suffix,
        seed_dir=_base_.seed_dir,
        seed_command='python tools/test.py configs/fmwsss/custom_seed.py',
        max_missing=_base_.max_missing,
        pipeline=[
            dict(type='LoadImageStrict'),
            dict(type='LoadAnnotations'),
            dict(type='ReproducibleAugmentation'),
            dict(
                type='RandomResize',
                scale=_base_.network_scale,
                ratio_range=(0.5, 2.0),
                keep_ratio=True,
            ),
            dict(
                type='RandomCrop',
                crop_size=_base_.network_crop,
                cat_max_ratio=0.75,
            ),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
            dict(type='PackSegInputs'),
        ],
    ),
)
param_scheduler = [
    dict(
        _base_.param_scheduler[-1],
        by_epoch=True,
        begin=0,
        end=_base_.network_epochs,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(
    _delete_=True,
    by_epoch=True,
    max_epochs=_base_.network_epochs,
    val_interval=10**9,
)
log_processor = dict(by_epoch=True)
default_hooks = dict(
    logger=dict(interval=10, log_metric_by_epoch=True),
    checkpoint=dict(by_epoch=True, interval=1, max_keep_ckpts=1),
)
