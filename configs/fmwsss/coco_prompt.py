# Learn both sets of prompts on COCO 2014 train from image-level labels: the
# paper's joint recipe (N 16, batch 16, 10 epochs, CoOp's optimiser). The
# released code trains COCO otherwise: see coco_prompt_official_cls.py.
# Needs: COCO 2014 in data/coco14 (or $COCO14_ROOT), OpenAI's ViT-B-16.pt in
#        weights/ (or $CLIP_VIT_B16), the masks of coco_sam_masks.py.
# Run:   python tools/train.py configs/fmwsss/coco_prompt.py
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/clip_prompts.py',
    '../_base_/models/clip_prompts_vit_b16.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/coco14_image_labels.py',
    '../_base_/schedules/prompt_coop.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/prompt'
model = dict(_base_.prompt_model, class_prompts='coco14')
param_scheduler = [
    _base_.warm_up,
    dict(_base_.cosine, end=10, T_max=10),
]
train_cfg = dict(max_epochs=10)
train_dataloader = dict(dataset=_base_.train_set)
test_dataloader = dict(dataset=_base_.test_set)
test_pipeline = _base_.seed_pipeline
test_evaluator = dict(split=_base_.split)
log_processor = dict(by_epoch=True)
default_hooks = _base_.epoch_hooks
