# To try the commands on VOC 2012: fine seeds of the tiny models, scored.
# Needs: the checkpoint of voc_tiny_prompt.py, and SegmentationClassAug, which
#        tools/dataset_converters/voc_aug.py makes.
# Run:   python tools/test.py configs/fmwsss/voc_tiny_seed.py
# Cost:  0.7 s of one CPU thread a photo (3 measured).
_base_ = './voc_tiny_prompt.py'
work_dir = 'work_dirs/voc12_tiny/seed'
load_from = 'work_dirs/voc12_tiny/prompt/epoch_25.pth'
train_command = 'python tools/train.py configs/fmwsss/voc_tiny_prompt.py'
test_evaluator = dict(
    output_dir='work_dirs/voc12_tiny/seed/fine_seed',
    ground_truth_dir=f'{_base_.data_root}/SegmentationClassAug',
)
