# Coarse seeds of COCO 2014 train, as the released code makes them from its
# classification prompts: CAA refines the signed CAM (1 Sinkhorn round, power
# 2, boxes at 0.6), then SAMS. There, alpha is the one of 0.3, 0.4 and 0.5 with
# the best mIoU against the masks of train; which it was is not recorded. Here,
# it is the middle one, and no mask is read.
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/COCO/cls/infer/6150;
# they are in coco_prompt_official_cls.py.
# Needs: the checkpoint of coco_prompt_official_cls.py and the masks of
#        coco_sam_masks.py.
# Run:   python tools/test.py configs/fmwsss/coco_seed_official_cls.py
# Cost:  not run here, see coco_prompt_official_cls.py.
_base_ = './coco_prompt_official_cls.py'
work_dir = 'work_dirs/coco14/seed_official_cls'
load_from = 'work_dirs/coco14/prompt_official_cls/iter_24600.pth'
train_command = (
    'python tools/train.py configs/fmwsss/coco_prompt_official_cls.py'
)
test_evaluator = dict(
    output_dir='work_dirs/coco14/seed_official_cls/coarse_seed'
)
