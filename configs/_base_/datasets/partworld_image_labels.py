# PartWorld with image-level labels: what the weakly supervised stages see. No
# pipeline here can open a ground-truth mask; `SeedMetric` opens it to score.
os = __import__('os')

data_root = os.environ.get('PARTWORLD_ROOT') or 'data/partworld'
mask_dir = 'work_dirs/partworld/sam_masks'
crop_size = 112  # pixels

prompt_pipeline = [
    dict(type='LoadImageStrict'),
    dict(type='LoadSAMMasks', mask_dir=mask_dir),
    dict(type='ReproducibleAugmentation'),
    dict(type='RandomLongSideResize', low=112, high=176, min_short=112),
    dict(type='RandomCropWithMasks', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    # Not the official RandomColourJitter of voc12_image_labels.py, but
    # gentler: the figures of the tables were measured with it.
    dict(type='PhotoMetricDistortion', brightness_delta=16, hue_delta=6),
    dict(type='PackWSSSInputs'),
]
seed_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    dict(type='ResizeToPatchMultiple', patch_size=8),
    # Seeds are made at the original size.
    dict(type='LoadSAMMasks', mask_dir=mask_dir, follow_image=False),
    dict(type='PackWSSSInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ReproducibleSampler', infinite=True),
    dataset=dict(
        type='PartWorldImageLabelDataset',
        data_root=data_root,
        image_list='ImageSets/train.txt',
        pipeline=prompt_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,  # pictures differ in size
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PartWorldImageLabelDataset',
        data_root=data_root,
        image_list='ImageSets/train.txt',
        test_mode=True,
        pipeline=seed_pipeline,
    ),
)
