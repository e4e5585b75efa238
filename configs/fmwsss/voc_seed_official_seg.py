# Fine seeds of VOC 2012 train_aug, as the released code makes them from its
# segmentation prompts: CAA refines the signed CAM (1 Sinkhorn round, power 2,
# boxes at 0.5), SAMS with alpha 0.7 (chosen there against ground truth; the
# paper says 0.6). Its README reports 73.9 mIoU for them.
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/VOC/seg/infer/final;
# they are in voc_prompt_official_seg.py.
# Needs: the checkpoint of voc_prompt_official_seg.py and the masks of
#        voc_sam_masks.py.
# Run:   python tools/test.py configs/fmwsss/voc_seed_official_seg.py
# Cost:  not run here, see voc_prompt_official_seg.py.
_base_ = './voc_prompt_official_seg.py'
work_dir = 'work_dirs/voc12/seed_official_seg'
load_from = 'work_dirs/voc12/prompt_official_seg/iter_17000.pth'
train_command = (
    'python tools/train.py configs/fmwsss/voc_prompt_official_seg.py'
)
test_evaluator = dict(output_dir='work_dirs/voc12/seed_official_seg/fine_seed')
