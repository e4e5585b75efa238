# SAM's masks of VOC 2012 train_aug, with the paper's three changes.
# Needs: VOC 2012, and sam_vit_h_4b8939.pth in weights/ (or $SAM_VIT_H; or
#        SAM_ARCH=vit_t and mobile_sam.pt).
# Run:   python tools/test.py configs/fmwsss/voc_sam_masks.py
#        (several GPUs: torchrun ... --launcher pytorch; it resumes)
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/sam_masks.py',
    '../_base_/models/sam.py',
    '../_base_/datasets/image_labels.py',
    '../_base_/datasets/voc12_image_labels.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/sam_masks_run'
model = dict(source=_base_.sam, output_dir='work_dirs/voc12/sam_masks')
train_dataloader = None
test_dataloader = dict(
    dataset=dict(_base_.test_set, pipeline=_base_.mask_pipeline)
)
test_evaluator = dict(_delete_=True, type='SAMMaskReport')
