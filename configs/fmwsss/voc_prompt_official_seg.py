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
    '../_base_/models/clip_prompts_vit_b16.py',
    '../_base_/datasets/voc12_image_labels.py',
    '../_base_/schedules/prompt_official_voc12_seg.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/prompt_official_seg'
seed_dir = 'work_dirs/voc12/seed_official_cls/coarse_seed'
seed_command = 'python tools/test.py configs/fmwsss/voc_seed_official_cls.py'
model = dict(
    class_prompts='voc12',
    official=True,
    streams=dict(
        _delete_=True,
        segmentation=dict(
            type='CLIPPromptHead',
            prompts=dict(
                type='LearnablePrompts',
                context_length=16,
                class_specific=True,
                name_position='front',
                nameless_background=True,
                init_std=0.0125,
                init_seed=3631188958,
            ),
            loss=dict(type='CAMActivationLoss', average='batch'),
        ),
    ),
    # configs/VOC/seg/infer/final/affx2,at_cam,attx1,·5thresh
    caa=dict(
        sinkhorn_rounds=1,
        power=2,
        box_threshold=0.5,
        refine='cam',
        official=True,
    ),
    training_route=None,  # the seeds are in the samples
    routes=dict(
        _delete_=True,
        fine_seed=dict(
            stream='segmentation',
            seeder=dict(type='SAMS', alpha=0.7, official=True),
        ),
    ),
)
prompt_pipeline = [
    dict(type='LoadImageStrict'),
    dict(type='LoadSeed', seed_dir=seed_dir, seed_command=seed_command),
    dict(type='ReproducibleAugmentation'),
    dict(type='RandomColourJitter', official=True),
    dict(type='RandomLongSideResize', low=288, high=480, min_short=224),
    dict(type='RandomCropWithMasks', crop_size=224),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ImageLabelsFromSeed'),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(
    batch_size=16,
    sampler=dict(_delete_=True, type='ReproducibleSampler', infinite=True),
    dataset=dict(pipeline=prompt_pipeline),
)
test_cfg = dict()
test_evaluator = dict(
    type='SeedMetric',
    prediction='fine_seed',
    output_dir=None,
    ground_truth_dir=None,
    split='VOC 2012 train_aug',
    protocol='single scale',
)
