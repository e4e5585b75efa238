# Fine seeds of VOC 2012 train_aug from the learnt prompts, as palette PNGs.
# For the mIoU, set `test_evaluator.ground_truth_dir` to the folder of masks.
# Needs: the checkpoint of voc_prompt.py.
# Run:   python tools/test.py configs/fmwsss/voc_seed.py
# Cost:  not run here, see voc_prompt.py.
_base_ = './voc_prompt.py'
work_dir = 'work_dirs/voc12/seed'
load_from = 'work_dirs/voc12/prompt/epoch_25.pth'
train_command = 'python tools/train.py configs/fmwsss/voc_prompt.py'
test_evaluator = dict(output_dir='work_dirs/voc12/seed/fine_seed')
