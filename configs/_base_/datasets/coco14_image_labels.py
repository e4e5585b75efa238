# COCO 2014 with the image-level labels of its instances JSON: 82,081 pictures
# of train have one. No pipeline here can open a mask.
os = __import__('os')

data_root = os.environ.get('COCO14_ROOT') or 'data/coco14'
mask_dir = 'work_dirs/coco14/sam_masks'
crop_size = 224  # pixels

seed_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    dict(type='ResizeToPatchMultiple', patch_size=16),
    # Seeds are made at the original size.
    dict(type='LoadSAMMasks', mask_dir=mask_dir, follow_image=False),
    dict(type='PackWSSSInputs'),
]
photos = dict(
    type='COCO14ImageLabelDataset', data_root=data_root, split='train'
)
prompt_pipeline = [
    dict(type='LoadImageStrict'),
    dict(type='LoadSAMMasks', mask_dir=mask_dir),
    dict(type='ReproducibleAugmentation'),
    # As the official code: its colour jitter, then a long side of
    # 318 to 530, crop 224.
    dict(type='RandomColourJitter'),
    dict(type='RandomLongSideResize', low=318, high=530, min_short=224),
    dict(type='RandomCropWithMasks', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackWSSSInputs'),
]
train_set = dict(photos, pipeline=prompt_pipeline)
test_set = dict(photos, test_mode=True, pipeline=seed_pipeline)
split = 'COCO 2014 train'
