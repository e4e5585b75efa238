# COCO 2014 for stage 2: the fine seeds of train as labels, and ground-truth
# masks of 81 labels in the test of every network. The lists (82,081 images of
# train, 40,137 of val) and the masks are made by
# tools/dataset_converters/coco14.py.
os = __import__('os')

_base_ = './segmentor_pipelines.py'
data_root = os.environ.get('COCO14_ROOT') or 'data/coco14'
# Full supervision, the upper bound.
supervised = dict(
    type='COCO14SegDataset',
    data_root=data_root,
    split='train',
    pipeline=_base_.train_pipeline,
)
# For the variants with SAMS.
load_masks = dict(
    type='LoadSAMMasks',
    mask_dir='work_dirs/coco14/sam_masks',
    follow_image=False,
    mask_command=(
        'python tools/test.py configs/fmwsss/coco_sam_masks.py --cfg-options '
        'test_dataloader.dataset.split=val'
    ),
)
with_masks = [_base_.test_pipeline[0], load_masks]
sams_pipeline = [*with_masks, *_base_.test_pipeline[1:]]
sams_tta_pipeline = [*with_masks, _base_.test_time_augmentation]

train_dataloader = dict(
    dataset=dict(
        class_prompts='coco14',
        data_root=data_root,
        image_list='ImageSets/train.txt',
        image_dir='train2014',
        seed_dir='work_dirs/coco14/seed/fine_seed',
        seed_command='python tools/test.py configs/fmwsss/coco_seed.py',
    )
)
val_dataloader = dict(
    dataset=dict(type='COCO14SegDataset', data_root=data_root, split='val')
)
test_dataloader = val_dataloader
val_evaluator = dict(
    ground_truth_dir=f'{data_root}/SegmentationClass/val2014',
    split='COCO 2014 val',
)
test_evaluator = val_evaluator
