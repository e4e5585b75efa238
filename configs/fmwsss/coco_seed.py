# Fine seeds of COCO 2014 train from the learnt prompts, as palette PNGs.
# For the mIoU, set `test_evaluator.ground_truth_dir` to the folder of masks.
# Needs: the checkpoint of coco_prompt.py.
# Run:   python tools/test.py configs/fmwsss/coco_seed.py
# Cost:  not run here, see coco_prompt.py.
_base_ = './coco_prompt.py'
work_dir = 'work_dirs/coco14/seed'
load_from = 'work_dirs/coco14/prompt/epoch_10.pth'
train_command = 'python tools/train.py configs/fmwsss/coco_prompt.py'
test_evaluator = dict(output_dir='work_dirs/coco14/seed/fine_seed')
