# Superpixels of COCO 2014 train in place of SAM's masks: no weights, no GPU.
# Needs: COCO 2014, and scikit-image.
# Run:   python tools/test.py configs/fmwsss/coco_superpixel_masks.py
#        (several processes: torchrun ... --launcher pytorch; it resumes)
# Cost:  measured on 100 photos of COCO: 0.35 s and 167 masks a photo on one
#        core. Not run on the whole data set.
_base_ = './coco_sam_masks.py'
work_dir = 'work_dirs/coco14/superpixel_masks_run'
model = dict(
    output_dir='work_dirs/coco14/superpixel_masks',
    source=dict(_delete_=True, type='FelzenszwalbSuperpixels'),
)
