# How the networks of stage 2 see the photos of VOC and COCO. Augmentation and
# test sizes are those of mmseg for VOC. Labels, be they seeds or masks, are
# read in training alone: in a test the metric opens the ground truth.
crop_size = (512, 512)  # pixels
test_scale = (2048, 512)  # pixels: long side at most, short side
tta_ratios = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)  # times test_scale

train_pipeline = [
    dict(type='LoadImageStrict'),
    dict(type='LoadAnnotations'),
    dict(type='ReproducibleAugmentation'),
    dict(
        type='RandomResize',
        scale=test_scale,
        ratio_range=(0.5, 2.0),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
# LoadImageFromFile by name for mmseg's inferencer; data sets of this package
# read by LoadImageStrict all the same.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=test_scale, keep_ratio=True),
    dict(type='PackWSSSInputs'),
]
# --tta: six scales, each also flipped, and the mean of their probabilities.
test_time_augmentation = dict(
    type='TestTimeAug',
    transforms=[
        [
            dict(
                type='Resize',
                scale=(int(test_scale[0] * ratio), int(test_scale[1] * ratio)),
                keep_ratio=True,
            )
            for ratio in tta_ratios
        ],
        [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
        [dict(type='PackWSSSInputs')],
    ],
)
tta_pipeline = [test_pipeline[0], test_time_augmentation]
tta_model = dict(type='SegTTAModel')

# A config of a data set adds where the photos are.
train_dataloader = dict(
    batch_size=16,  # in all: divide it by the number of GPUs
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ReproducibleSampler', infinite=True),
    dataset=dict(type='PseudoLabelDataset', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,  # photos differ in size
    num_workers=4,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='SeedMetric', prefix='val', protocol='single scale')
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
# The networks with SAMS: model = dict(_base_.refined, segmentor=_base_.model)
refined = dict(
    _delete_=True, type='RefinedSegmentor', refiner=dict(type='SAMS')
)
