# How the photos of VOC and COCO are read with their image-level labels. A data
# set's file says which they are, a config how they are shown:
#   train_dataloader = dict(dataset=_base_.train_set)
#   test_dataloader = dict(dataset=_base_.test_set)
train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ReproducibleSampler'),
)
test_dataloader = dict(
    batch_size=1,  # photos differ in size
    num_workers=4,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_cfg = dict()
# Seeds are written and scored where a config says so.
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    output_dir=None,
    ground_truth_dir=None,
    protocol='single scale',
)
