# PASCAL VOC 2012 for stage 2: the fine seeds of train_aug as labels.
_base_ = './voc12_masks.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PseudoLabelDataset',
        class_prompts='voc12',
        data_root=_base_.data_root,
        image_list='ImageSets/Segmentation/train_aug.txt',
        seed_dir='work_dirs/voc12/seed/fine_seed',
        seed_command='python tools/test.py configs/fmwsss/voc_seed.py',
        pipeline=_base_.train_pipeline,
    )
)
