# Models and sizes for own photos on a laptop: MobileSAM with 16 x 16 points
# and no crops, and the small CLIP for photos. $SAM_ARCH and $SAM_VIT_H choose
# another SAM, as in sam.py.
os = __import__('os')

_base_ = './sam.py'
sam_arch = os.environ.get('SAM_ARCH') or 'vit_t'
sam = dict(
    arch=sam_arch,
    checkpoint=os.environ.get('SAM_VIT_H')
    or f'weights/{_base_.sam_files.get(sam_arch)}',
    points_per_side=16,
    crop_n_layers=0,
)
# Pixels. The CLIP is scored at a long side of 384 (docs/photo_clip.md); the
# others are not tuned.
patch_size = 16
seed_side = 384
prompt_sides = (256, 384)
prompt_crop = 224
network_crop = (256, 256)
network_scale = (1024, 256)
