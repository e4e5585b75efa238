# COCO 2014 for stage 2: the fine seeds of train as labels.
_base_ = './coco14_masks.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PseudoLabelDataset',
        class_prompts='coco14',
        data_root=_base_.data_root,
        image_list='ImageSets/train.txt',
        image_dir='train2014',
        seed_dir='work_dirs/coco14/seed/fine_seed',
        seed_command='python tools/test.py configs/fmwsss/coco_seed.py',
        pipeline=_base_.train_pipeline,
    )
)
