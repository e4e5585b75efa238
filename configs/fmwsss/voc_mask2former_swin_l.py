# Stage 2: Mask2Former (Swin-L) on the fine seeds of VOC 2012 train_aug: crops
# of 512, batch 4, 80,000 iterations; where each number is from is said in
# schedules/segmentor_mask2former_80k.py. The paper reports 82.6 mIoU on val,
# single scale, of the checkpoint that was best on val. Labels of 255 are in no
# mask, and outside of all.
# Needs: VOC 2012 (or $VOC12_ROOT), the seeds of voc_seed.py, and the weights
#        of the backbone in weights/ (or $SWIN_L_22K); docs/voc_and_coco.md.
# Run:   python tools/train.py configs/fmwsss/voc_mask2former_swin_l.py
#        python tools/test.py configs/fmwsss/voc_mask2former_swin_l.py \
#            work_dirs/voc12/mask2former_swin_l/iter_80000.pth
# Cost:  not run here; it needs a GPU, the data and the weights.
_base_ = [
    '../_base_/models/mask2former_swin_l.py',
    '../_base_/datasets/voc12_seeds.py',
    '../_base_/schedules/segmentor_mask2former_80k.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/voc12/mask2former_swin_l'
train_dataloader = dict(batch_size=4)  # in all, as above
default_hooks = dict(checkpoint=dict(interval=4000, max_keep_ckpts=2))
