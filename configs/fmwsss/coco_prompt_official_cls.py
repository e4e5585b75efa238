# First of the two runs of the released code on COCO 2014 train: the
# classification prompts, from image-level labels, by L_MCL alone. Then
#   coco_prompt_official_cls -> coco_seed_official_cls (coarse seeds)
#   -> coco_prompt_official_seg -> coco_seed_official_seg (fine seeds).
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/COCO/cls/cfg.py and
# the configs it inherits (configs/clip_cam/coco,cl_loss, _patches/coco.py).
#   prompts   N 16, one context, name at the end, 23 named backgrounds, names
#             of CLIP-ES with its 'sknowboard'; N(0, 0.015^2), seed '真', which
#             its library hashes to the number
#   schedule  6,150 of 20,500 iterations of 16 images, in 4 parts whose
#             gradients are added up; SGD, lr 0.001, 1,000 of them at 1e-5
#   loss      L_MCL averaged over all (image, class) pairs of a part
#   images    colours, long side 318 to 530, crop 224, mirror
# There, labels come from the segmentation masks, and the iteration, the crop
# and its range from a search against the masks of 1,250 images of train. Here,
# labels come from the instances JSON, and no mask is read.
# Needs: COCO 2014 in data/coco14 (or $COCO14_ROOT), OpenAI's ViT-B-16.pt in
#        weights/ (or $CLIP_VIT_B16).
# Run:   python tools/train.py configs/fmwsss/coco_prompt_official_cls.py
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
work_dir = 'work_dirs/coco14/prompt_official_cls'
names = dict(class_prompts='coco14_official')
model = dict(
    _base_.prompt_model,
    **names,
    official=True,
    streams=dict(
        _delete_=True,
        classification=_base_.classification,
    ),
    # configs/aff_voc/coco/att1次,·6阈,aff2次,at_cam
    caa=dict(_base_.official_caa, box_threshold=0.6, refine='cam'),
    training_route=None,
    routes=dict(
        _delete_=True,
        coarse_seed=dict(
            stream='classification',
            # See coco_seed_official_cls.py.
            seeder=dict(type='SAMS', alpha=0.4, official=True),
        ),
    ),
)
# The released code's 1,000, 20,500 and 6,150 iterations times 4. The cosine
# would reach 0 at 20,500; the checkpoint that it uses is that of iteration
# 6,150 (1.2 epochs), where this run stops.
optim_wrapper = dict(accumulative_counts=4)
param_scheduler = [
    dict(_base_.warm_up, end=4001),
    dict(_base_.cosine, begin=4000, end=82000),
]
train_cfg = dict(max_iters=24600)
prompt_pipeline = [
    _base_.load_image,
    *_base_.colours,
    dict(type='RandomLongSideResize', low=318, high=530, min_short=224),
    *_base_.crop,
    _base_.pack,
]
train_dataloader = dict(
    batch_size=4,  # times 4
    sampler=dict(infinite=True),
    dataset=dict(_base_.photos, **names, pipeline=prompt_pipeline),
)
test_pipeline = _base_.seed_pipeline
test_dataloader = dict(dataset=dict(_base_.test_set, **names))
default_hooks = dict(checkpoint=dict(interval=8200))
test_evaluator = dict(prediction='coarse_seed', split=_base_.split)
