# VOC-Animals for stage 2: the fine seeds of its 800 photos of train_aug as
# labels, and VOC's masks in the test on its 160 photos of val. Sizes are those
# of a network that learns on a CPU. $ANIMALS_TRAIN_LIST and $ANIMALS_VAL_LIST
# are other lists of photos, $ANIMALS_MASK_DIR another folder of SAM's masks.
os = __import__('os')

_base_ = './segmentor_pipelines.py'
data_root = os.environ.get('VOC12_ROOT') or 'data/VOCdevkit/VOC2012'
train_list = (
    os.environ.get('ANIMALS_TRAIN_LIST')
    or 'mmfmwsss://voc_animals/train_aug.txt'
)
val_list = (
    os.environ.get('ANIMALS_VAL_LIST') or 'mmfmwsss://voc_animals/val.txt'
)
# For tests with SAMS.
load_masks = dict(
    type='LoadSAMMasks',
    mask_dir=os.environ.get('ANIMALS_MASK_DIR')
    or 'work_dirs/animals/sam_masks',
    follow_image=False,
    mask_command=(
        'python tools/test.py configs/fmwsss/animals_sam_masks.py '
        f'--cfg-options test_dataloader.dataset.image_list={val_list}'
    ),
)
scale = (512, 384)  # pixels: long side at most, short side
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(_base_.train_pipeline[3], scale=scale),
    dict(_base_.train_pipeline[4], crop_size=(256, 256)),
    *_base_.train_pipeline[5:],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(_base_.test_pipeline[1], scale=scale),
    _base_.test_pipeline[2],
]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(
        class_prompts='animals',
        data_root=data_root,
        image_list=train_list,
        seed_dir='work_dirs/animals/seed/fine_seed',
        seed_command='python tools/test.py configs/fmwsss/animals_seed.py',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=2,
    dataset=dict(
        type='VOC12SegDataset',
        class_prompts='animals',
        data_root=data_root,
        image_list=val_list,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ground_truth_dir=f'{data_root}/SegmentationClassAug',
    # background, cat, cow, dog, horse, sheep
    truth_numbers=[0, 8, 10, 12, 13, 17],
    split='VOC-Animals val',
)
test_evaluator = val_evaluator
