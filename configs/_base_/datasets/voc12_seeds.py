# PASCAL VOC 2012 for stage 2: the fine seeds of train_aug as labels, and
# ground-truth masks in the test of every network. `SegmentationClassAug` has
# the masks of train, SBD and val; it is made by
# tools/dataset_converters/voc_aug.py.
os = __import__('os')

_base_ = './segmentor_pipelines.py'
data_root = os.environ.get('VOC12_ROOT') or 'data/VOCdevkit/VOC2012'
train_list = 'ImageSets/Segmentation/train_aug.txt'
val_list = 'ImageSets/Segmentation/val.txt'
# Full supervision, the upper bound.
supervised = dict(
    type='VOC12SegDataset',
    data_root=data_root,
    image_list=train_list,
    pipeline=_base_.train_pipeline,
)
# For the variants with SAMS.
load_masks = dict(
    type='LoadSAMMasks',
    mask_dir='work_dirs/voc12/sam_masks',
    follow_image=False,
    mask_command=(
        'python tools/test.py configs/fmwsss/voc_sam_masks.py --cfg-options '
        f'test_dataloader.dataset.image_list={val_list}'
    ),
)
with_masks = [_base_.test_pipeline[0], load_masks]
sams_pipeline = [*with_masks, *_base_.test_pipeline[1:]]
sams_tta_pipeline = [*with_masks, _base_.test_time_augmentation]

train_dataloader = dict(
    dataset=dict(
        class_prompts='voc12',
        data_root=data_root,
        image_list=train_list,
        seed_dir='work_dirs/voc12/seed/fine_seed',
        seed_command='python tools/test.py configs/fmwsss/voc_seed.py',
    )
)
val_dataloader = dict(
    dataset=dict(
        type='VOC12SegDataset', data_root=data_root, image_list=val_list
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ground_truth_dir=f'{data_root}/SegmentationClassAug', split='VOC 2012 val'
)
test_evaluator = val_evaluator
