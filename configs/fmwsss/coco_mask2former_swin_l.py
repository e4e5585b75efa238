# Stage 2: Mask2Former (Swin-L) on the fine seeds of COCO 2014 train: crops of
# 512, batch 4, 100,000 iterations; where each number is from is said in
# schedules/segmentor_mask2former_100k.py. The paper reports 55.4 mIoU on val,
# single scale. Labels of 255 are in no mask, and outside of all.
# Needs: COCO 2014 (or $COCO14_ROOT), the seeds of coco_seed.py, and the
#        weights of the backbone in weights/ (or $SWIN_L_22K);
#        docs/voc_and_coco.md.
# Run:   python tools/train.py configs/fmwsss/coco_mask2former_swin_l.py
#        python tools/test.py configs/fmwsss/coco_mask2former_swin_l.py \
#            work_dirs/coco14/mask2former_swin_l/iter_100000.pth
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/mask2former_swin_l.py',
    '../_base_/datasets/coco14_seeds.py',
    '../_base_/schedules/segmentor_mask2former_100k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/coco14/mask2former_swin_l'
num_classes = 81  # the background is one
model = dict(
    decode_head=dict(
        num_classes=num_classes,
        loss_cls=dict(class_weight=[1.0] * num_classes + [0.1]),
    )
)
train_dataloader = dict(batch_size=4)  # in all, as above
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
