# Superpixels of VOC 2012 train_aug instead of SAM's masks: no weights, no GPU.
# Needs: VOC 2012, and scikit-image.
# Run:   python tools/test.py configs/fmwsss/voc_superpixel_masks.py
#        (several processes: torchrun ... --launcher pytorch; it resumes)
# Cost:  measured on 100 photos of COCO: 0.35 s and 167 masks a photo on one
#        core. Not run on the whole data set.
_base_ = './voc_sam_masks.py'
work_dir = 'work_dirs/voc12/superpixel_masks_run'
model = dict(
    output_dir='work_dirs/voc12/superpixel_masks',
    source=dict(_delete_=True, type='FelzenszwalbSuperpixels'),
)
