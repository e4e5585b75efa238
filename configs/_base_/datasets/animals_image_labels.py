# VOC-Animals with image-level labels: the photos of PASCAL VOC 2012 whose only
# classes are cat, cow, dog, horse and sheep, 800 of train_aug and 160 of val.
# The names and their labels come with the package; the photos are VOC's.
# $ANIMALS_TRAIN_LIST is another list of photos, $ANIMALS_MASK_DIR another
# folder of SAM's masks.
os = __import__('os')

data_root = os.environ.get('VOC12_ROOT') or 'data/VOCdevkit/VOC2012'
mask_dir = os.environ.get('ANIMALS_MASK_DIR') or 'work_dirs/animals/sam_masks'
train_list = (
    os.environ.get('ANIMALS_TRAIN_LIST')
    or 'mmfmwsss://voc_animals/train_aug.txt'
)
load_masks = dict(
    type='LoadSAMMasks',
    mask_dir=mask_dir,
    mask_command='python tools/test.py configs/fmwsss/animals_sam_masks.py',
)
photos = dict(
    type='ImageLabelDataset',
    class_prompts='animals',
    data_root=data_root,
    image_dir='JPEGImages',
    image_list=train_list,
    label_file='mmfmwsss://voc_animals/image_labels.json',
)
prompt_pipeline = [
    dict(type='LoadImageStrict'),
    load_masks,
    dict(type='ReproducibleAugmentation'),
    # As for VOC.
    dict(type='RandomColourJitter'),
    dict(type='RandomLongSideResize', low=288, high=480, min_short=224),
    dict(type='RandomCropWithMasks', crop_size=224),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackWSSSInputs'),
]
seed_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    # Not random: the photo CLIP was scored at this size.
    dict(type='RandomLongSideResize', low=384, high=384, min_short=16),
    dict(type='ResizeToPatchMultiple', patch_size=16),
    # Seeds are made at the original size.
    dict(load_masks, follow_image=False),
    dict(type='PackWSSSInputs'),
]
train_set = dict(photos, pipeline=prompt_pipeline)
test_set = dict(photos, test_mode=True, pipeline=seed_pipeline)
split = 'VOC-Animals train_aug'
# Numbers of background, cat, cow, dog, horse and sheep in VOC's masks.
truth_numbers = [0, 8, 10, 12, 13, 17]
