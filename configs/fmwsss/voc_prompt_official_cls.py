# First of the two runs of the released code on VOC 2012 train_aug: the
# classification prompts, from image-level labels, by L_MCL alone. Then
#   voc_prompt_official_cls -> voc_seed_official_cls (coarse seeds)
#   -> voc_prompt_official_seg -> voc_seed_official_seg (fine seeds).
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/VOC/cls/cfg.py and
# the configs it inherits (configs/clip_cam/base.py, cl_loss).
#   prompts   N 16, one context, name at the end, 25 named backgrounds;
#             N(0, 0.015^2), seed '真', which its library hashes to the number
#   schedule  1,800 iterations of 16 images, SGD, lr 0.001, 500 of them at 1e-5
#   loss      L_MCL averaged over all (image, class) pairs of the batch
#   images    colours, long side 288 to 480, crop 224, mirror
# There, labels come from the segmentation masks and the init seed, its std and
# the number of iterations from a search against the masks of train_aug. Here,
# labels come from the XML annotations, and no mask is read.
# Needs: VOC 2012 in data/VOCdevkit/VOC2012 (or $VOC12_ROOT), OpenAI's
#        ViT-B-16.pt in weights/ (or $CLIP_VIT_B16).
# Run:   python tools/train.py configs/fmwsss/voc_prompt_official_cls.py
#        (--amp for the mixed precision of the released code)
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_vit_b16.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/voc12_image_labels.py',
    '../_base_/schedules/prompt_official.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/prompt_official_cls'
model = dict(
    _base_.prompt_model,
    class_prompts='voc12',
    official=True,
    streams=dict(
        _delete_=True,
        classification=_base_.classification,
    ),
    # configs/VOC/cls/infer/final/affx2,at_score,att2affx1
    caa=dict(_base_.official_caa, box_threshold=0.4, refine='score'),
    training_route=None,
    routes=dict(
        _delete_=True,
        coarse_seed=dict(
            stream='classification',
            seeder=dict(type='SAMS', alpha=0.6, official=True),
        ),
    ),
)
# 1,800 iterations of batch 16 are 2.7 epochs.
param_scheduler = [
    dict(_base_.warm_up, end=501),
    dict(_base_.cosine, begin=500, end=1800),
]
train_cfg = dict(max_iters=1800)
prompt_pipeline = [
    _base_.load_image,
    *_base_.colours,
    dict(type='RandomLongSideResize', low=288, high=480, min_short=224),
    *_base_.crop,
    _base_.pack,
]
train_dataloader = dict(
    sampler=dict(infinite=True),
    dataset=dict(_base_.photos, pipeline=prompt_pipeline),
)
test_pipeline = _base_.seed_pipeline
test_dataloader = dict(dataset=_base_.test_set)
test_evaluator = dict(prediction='coarse_seed', split=_base_.split)
