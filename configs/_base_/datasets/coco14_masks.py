# COCO 2014 with ground-truth masks of 81 labels: full supervision (the upper
# bound), and the test of every network. The lists (82,081 pictures of train,
# 40,137 of val) and the masks are made by tools/dataset_converters/coco14.py.
os = __import__('os')

_base_ = './segmentor_pipelines.py'
data_root = os.environ.get('COCO14_ROOT') or 'data/coco14'
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

train_dataloader = dict(
    batch_size=16,  # in all: divide it by the number of GPUs
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ReproducibleSampler', infinite=True),
    dataset=dict(
        type='COCO14SegDataset',
        data_root=data_root,
        split='train',
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,  # photos differ in size
    num_workers=4,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='COCO14SegDataset',
        data_root=data_root,
        split='val',
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='SeedMetric',
    prefix='val',
    ground_truth_dir=f'{data_root}/SegmentationClass/val2014',
    split='COCO 2014 val',
    protocol='single scale',
)
test_evaluator = val_evaluator
