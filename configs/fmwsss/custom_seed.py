# Fine seeds of your own photos from the learnt prompts, as palette PNGs. They
# are not scored; where you have masks, `<photo>.png` of label values, add
# --cfg-options test_evaluator.ground_truth_dir=FOLDER.
# Needs: the checkpoint of custom_prompt.py.
# Run:   python tools/test.py configs/fmwsss/custom_seed.py
# Cost:  see docs/your_own_photos.md.
_base_ = './custom_prompt.py'
work_dir = f'{_base_.work}/seed'
load_from = f'{_base_.work}/prompt/epoch_{_base_.prompt_epochs}.pth'
train_command = 'python tools/train.py configs/fmwsss/custom_prompt.py'
test_pipeline = [  # its loader: see segmentor_pipelines.py
    dict(type='LoadImageFromFile'),
    # Not random: photos of all sizes are seen at one.
    dict(
        type='RandomLongSideResize',
        low=_base_.seed_side,
        high=_base_.seed_side,
        min_short=_base_.patch_size,
    ),
    dict(type='ResizeToPatchMultiple', patch_size=_base_.patch_size),
    # Seeds are made at the original size.
    dict(_base_.load_masks, follow_image=False),
    dict(type='PackWSSSInputs'),
]
test_dataloader = dict(
    _base_.one_by_one,
    dataset=dict(
        _base_.photos,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_cfg = dict()
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    output_dir=_base_.seed_dir,
    ground_truth_dir=None,
    split='own photos',
    protocol='single scale',
)
