# Second of the two runs of the released code on VOC 2012 train_aug: the
# segmentation prompts, by L_CAL alone, from the coarse seeds on disk.
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/VOC/seg/cfg.py and
# the configs it inherits (configs/clip_cam/离线伪真,CI/l1/base.py).
#   prompts   N 16, one context a class, name in front, 25 nameless
#             backgrounds; N(0, 0.0125^2) from a file that was made with
#             Python's salted hash('机') and cannot be made again; here the
#             number that its library hashes '机' to
#   schedule  17,000 iterations of 16 images, SGD, lr 0.001, 500 at 1e-5
#   loss      L_CAL over all pixels of the batch; an image's classes are those
#             that the crop's seed shows
#   images    colours, long side 288 to 480, crop 224, mirror
# There, init seed, N and the name's place were chosen against the masks of
# train_aug. Here, no mask is read.
# Needs: the seeds of voc_seed_official_cls.py; data and weights as there.
# Run:   python tools/train.py configs/fmwsss/voc_prompt_official_seg.py
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
work_dir = 'work_dirs/voc12/prompt_official_seg'
seed_dir = 'work_dirs/voc12/seed_official_cls/coarse_seed'
seed_command = 'python tools/test.py configs/fmwsss/voc_seed_official_cls.py'
model = dict(
    _base_.prompt_model,
    class_prompts='voc12',
    official=True,
    streams=dict(
        _delete_=True,
        segmentation=dict(
            type='CLIPPromptHead',
            prompts=dict(
                _base_.model.streams.segmentation.prompts,
                init_std=0.0125,
                init_seed=3631188958,
            ),
            loss=dict(type='CAMActivationLoss', average='batch'),
        ),
    ),
    # configs/VOC/seg/infer/final/affx2,at_cam,attx1,·5thresh
    caa=dict(_base_.official_caa, box_threshold=0.5, refine='cam'),
    training_route=None,  # the seeds are in the samples
    routes=dict(
        _delete_=True,
        fine_seed=dict(
            stream='segmentation',
            seeder=dict(type='SAMS', alpha=0.7, official=True),
        ),
    ),
)
# 17,000 iterations of batch 16 are 25.7 epochs.
param_scheduler = [
    dict(_base_.warm_up, end=501),
    dict(_base_.cosine, begin=500, end=17000),
]
train_cfg = dict(max_iters=17000)
prompt_pipeline = [
    _base_.load_image,
    dict(type='LoadSeed', seed_dir=seed_dir, seed_command=seed_command),
    *_base_.colours,
    dict(type='RandomLongSideResize', low=288, high=480, min_short=224),
    *_base_.crop,
    dict(type='ImageLabelsFromSeed'),
    _base_.pack,
]
train_dataloader = dict(
    sampler=dict(infinite=True),
    dataset=dict(_base_.photos, pipeline=prompt_pipeline),
)
test_pipeline = _base_.seed_pipeline
test_dataloader = dict(dataset=_base_.test_set)
test_evaluator = dict(split=_base_.split)
