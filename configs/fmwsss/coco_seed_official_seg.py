# Fine seeds of COCO 2014 train, as the released code makes them from its
# segmentation prompts: the plain CAM, without CAA, and SAMS with alpha 1 (the
# paper says CAA and 0.6). Its README reports 47.5 mIoU for them.
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/COCO/seg/infer/45k;
# they are in coco_prompt_official_seg.py.
# Needs: the checkpoint of coco_prompt_official_seg.py and the masks of
#        coco_sam_masks.py.
# Run:   python tools/test.py configs/fmwsss/coco_seed_official_seg.py
# Cost:  not run here, see coco_prompt_official_seg.py.
_base_ = './coco_prompt_official_seg.py'
work_dir = 'work_dirs/coco14/seed_official_seg'
load_from = 'work_dirs/coco14/prompt_official_seg/iter_360000.pth'
train_command = (
    'python tools/train.py configs/fmwsss/coco_prompt_official_seg.py'
)
test_evaluator = dict(
    output_dir='work_dirs/coco14/seed_official_seg/fine_seed'
)
