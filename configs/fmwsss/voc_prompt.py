# Learn both sets of prompts on VOC 2012 train_aug from image-level labels: the
# paper's joint recipe (N 16, batch 16, 25 epochs, CoOp's optimiser).
# Needs: VOC 2012 in data/VOCdevkit/VOC2012 (or $VOC12_ROOT), OpenAI's
#        ViT-B-16.pt in weights/ (or $CLIP_VIT_B16), the masks of
#        voc_sam_masks.py.
# Run:   python tools/train.py configs/fmwsss/voc_prompt.py
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_vit_b16.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/voc12_image_labels.py',
    '../_base_/schedules/prompt_coop.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/prompt'
model = dict(_base_.prompt_model, class_prompts='voc12')
train_dataloader = dict(dataset=_base_.train_set)
test_dataloader = dict(dataset=_base_.test_set)
test_pipeline = _base_.seed_pipeline
test_evaluator = dict(split=_base_.split)
log_processor = dict(by_epoch=True)
default_hooks = _base_.epoch_hooks
