# Coarse seeds of VOC 2012 train_aug, as the released code makes them from its
# classification prompts: CAA refines the score (1 Sinkhorn round, power 2,
# boxes at 0.4), SAMS with alpha 0.6 (chosen there against ground truth, and
# the paper's).
# Numbers: github.com/HAL-42/FMA-WSSS at 112437e, configs/VOC/cls/infer/final;
# they are in voc_prompt_official_cls.py.
# Needs: the checkpoint of voc_prompt_official_cls.py and the masks of
#        voc_sam_masks.py.
# Run:   python tools/test.py configs/fmwsss/voc_seed_official_cls.py
# Cost:  not run here, see voc_prompt_official_cls.py.
_base_ = './voc_prompt_official_cls.py'
work_dir = 'work_dirs/voc12/seed_official_cls'
load_from = 'work_dirs/voc12/prompt_official_cls/iter_1800.pth'
train_command = (
    'python tools/train.py configs/fmwsss/voc_prompt_official_cls.py'
)
test_evaluator = dict(
    output_dir='work_dirs/voc12/seed_official_cls/coarse_seed'
)
