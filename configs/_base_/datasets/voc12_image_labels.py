# PASCAL VOC 2012 with the image-level labels of its XML annotations. The list
# `train_aug.txt` has the 10,582 names of train and SBD.
os = __import__('os')

data_root = os.environ.get('VOC12_ROOT') or 'data/VOCdevkit/VOC2012'
mask_dir = 'work_dirs/voc12/sam_masks'
crop_size = 224  # pixels

seed_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    dict(type='ResizeToPatchMultiple', patch_size=16),
    # Seeds are made at the original size.
    dict(type='LoadSAMMasks', mask_dir=mask_dir, follow_image=False),
    dict(type='PackWSSSInputs'),
]
photos = dict(
    type='VOC12ImageLabelDataset',
    data_root=data_root,
    image_list='ImageSets/Segmentation/train_aug.txt',
)
prompt_pipeline = [
    dict(type='LoadImageStrict'),
    dict(type='LoadSAMMasks', mask_dir=mask_dir),
    dict(type='ReproducibleAugmentation'),
    # As the official code: its colour jitter, then a long side of
    # 288 to 480, crop 224.
    dict(type='RandomColourJitter'),
    dict(type='RandomLongSideResize', low=288, high=480, min_short=224),
    dict(type='RandomCropWithMasks', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackWSSSInputs'),
]
train_set = dict(photos, pipeline=prompt_pipeline)
test_set = dict(photos, test_mode=True, pipeline=seed_pipeline)
split = 'VOC 2012 train_aug'
