# PASCAL VOC 2012 with ground-truth masks: full supervision (the upper bound),
# and the test of every network. `SegmentationClassAug` has the masks of train,
# SBD and val; tools/dataset_converters/voc_aug.py makes it.
os = __import__('os')

_base_ = './segmentor_pipelines.py'
data_root = os.environ.get('VOC12_ROOT') or 'data/VOCdevkit/VOC2012'
# For the variants with SAMS.
load_masks = dict(
    type='LoadSAMMasks',
    mask_dir='work_dirs/voc12/sam_masks',
    follow_image=False,
    mask_command=(
        'python tools/test.py configs/fmwsss/voc_sam_masks.py --cfg-options '
        'test_dataloader.dataset.image_list=ImageSets/Segmentation/val.txt'
    ),
)

train_dataloader = dict(
    batch_size=16,  # in all: divide it by the number of GPUs
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ReproducibleSampler', infinite=True),
    dataset=dict(
        type='VOC12SegDataset',
        data_root=data_root,
        image_list='ImageSets/Segmentation/train_aug.txt',
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,  # photos differ in size
    num_workers=4,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOC12SegDataset',
        data_root=data_root,
        image_list='ImageSets/Segmentation/val.txt',
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='SeedMetric',
    prefix='val',
    ground_truth_dir=f'{data_root}/SegmentationClassAug',
    split='VOC 2012 val',
    protocol='single scale',
)
test_evaluator = val_evaluator
