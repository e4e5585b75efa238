# Second of the two runs of the released code on COCO 2014 train: the
# segmentation prompts, by L_CAL alone, from the coarse seeds on disk. None of
# the paper's three choices for these prompts is made on COCO.
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/COCO/seg/cfg.py and
# the configs it inherits (configs/clip_cam/coco,离线伪真,CI/base.py).
#   prompts   N 16, one context, name at the end, 23 named backgrounds, names
#             of CLIP-ES with its 'sknowboard'; N(0, 0.015^2), seed '真', which
#             its library hashes to the number
#   schedule  45,000 of 75,000 iterations of 16 images, in 8 parts whose
#             gradients are added up; SGD, lr 0.001, 1,000 of them at 1e-5
#   loss      L_CAL over all pixels of a part; an image's classes are those of
#             the whole image, whether the crop shows them or not
#   images    colours, long side 318 to 531, crop 224, mirror
# There, labels come from the segmentation masks, and the iteration from a
# search against the masks of 1,250 images of train. Here, labels come from the
# instances JSON, and no mask is read.
# Needs: the seeds of coco_seed_official_cls.py; data and weights as there.
# Run:   python tools/train.py configs/fmwsss/coco_prompt_official_seg.py
#        (--amp for the mixed precision of the released code)
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_vit_b16.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/coco14_image_labels.py',
    '../_base_/schedules/prompt_official.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/prompt_official_seg'
seed_dir = 'work_dirs/coco14/seed_official_cls/coarse_seed'
seed_command = 'python tools/test.py configs/fmwsss/coco_seed_official_cls.py'
names = dict(class_prompts='coco14_official')
model = dict(
    _base_.prompt_model,
    **names,
    official=True,
    streams=dict(
        _delete_=True,
        segmentation=dict(
            type='CLIPPromptHead',
            prompts=_base_.unified_prompts,
            loss=dict(type='CAMActivationLoss', average='batch'),
        ),
    ),
    training_route=None,  # the seeds are in the samples
    routes=dict(
        _delete_=True,
        # configs/COCO/seg/infer/45k/ann: no CAA
        fine_seed=dict(
            stream='segmentation',
            use_caa=False,
            seeder=dict(type='SAMS', alpha=1.0, official=True),
        ),
    ),
)
# The released code's 1,000, 75,000 and 45,000 iterations times 8. The cosine
# would reach 0 at 75,000; the checkpoint that it uses is that of iteration
# 45,000 (8.8 epochs), where this run stops.
optim_wrapper = dict(accumulative_counts=8)
param_scheduler = [
    dict(_base_.warm_up, end=8001),
    dict(_base_.cosine, begin=8000, end=600000),
]
train_cfg = dict(max_iters=360000)
prompt_pipeline = [
    _base_.load_image,
    dict(type='LoadSeed', seed_dir=seed_dir, seed_command=seed_command),
    *_base_.colours,
    dict(type='RandomLongSideResize', low=318, high=531, min_short=224),
    *_base_.crop,
    _base_.pack,
]
train_dataloader = dict(
    batch_size=2,  # times 8
    sampler=dict(infinite=True),
    dataset=dict(_base_.photos, **names, pipeline=prompt_pipeline),
)
test_pipeline = _base_.seed_pipeline
test_dataloader = dict(dataset=dict(_base_.test_set, **names))
default_hooks = dict(checkpoint=dict(interval=60000))
test_evaluator = dict(split=_base_.split)
