# PartWorld for stage 2: seeds as pseudo labels, ground truth only on val.
os = __import__('os')

data_root = os.environ.get('PARTWORLD_ROOT') or 'data/partworld'
seed_dir = 'work_dirs/partworld/seed/fine_seed'
load_masks = dict(  # for the variants with SAMS
    type='LoadSAMMasks',
    mask_dir='work_dirs/partworld/sam_masks',
    follow_image=False,
    mask_command='python tools/test.py configs/fmwsss/partworld_sam_masks.py',
)
crop_size = (112, 112)  # pixels

train_pipeline = [
    dict(type='LoadImageStrict'),
    dict(type='LoadAnnotations'),
    dict(type='ReproducibleAugmentation'),
    dict(
        type='RandomResize',
        scale=(128, 128),
        ratio_range=(0.75, 1.5),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion', brightness_delta=16, hue_delta=6),
    dict(type='PackSegInputs'),
]
test_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
sams_pipeline = [
    *test_pipeline[:-1],
    load_masks,
    dict(type='PackWSSSInputs'),
]
# --tta: three scales, each also flipped, and the mean of their probabilities.
test_time_augmentation = dict(
    type='TestTimeAug',
    transforms=[
        [
            dict(type='Resize', scale_factor=ratio, keep_ratio=True)
            for ratio in (0.75, 1.0, 1.25)
        ],
        [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
        [dict(type='LoadAnnotations')],  # not augmented: it is scored on
        [dict(type='PackWSSSInputs')],
    ],
)
tta_pipeline = [test_pipeline[0], test_time_augmentation]
sams_tta_pipeline = [test_pipeline[0], load_masks, test_time_augmentation]
tta_model = dict(type='SegTTAModel')
# The networks with SAMS: model = dict(_base_.refined, segmentor=_base_.model)
refined = dict(
    _delete_=True, type='RefinedSegmentor', refiner=dict(type='SAMS')
)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ReproducibleSampler', infinite=True),
    dataset=dict(
        type='PseudoLabelDataset',
        class_prompts='partworld',
        data_root=data_root,
        image_list='ImageSets/train.txt',
        seed_dir=seed_dir,
        seed_command='python tools/test.py configs/fmwsss/partworld_seed.py',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PartWorldSegDataset',
        data_root=data_root,
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        ann_file='ImageSets/val.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
