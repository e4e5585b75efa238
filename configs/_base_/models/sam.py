# An official SAM in everything mode: $SAM_ARCH is vit_h (the paper's), vit_l,
# vit_b, or vit_t, which is MobileSAM and runs on a CPU; its weights are looked
# for in weights/, or $SAM_VIT_H is their path, whichever network it is.
# `python tools/get_weights.py sam_vit_h` (mobile_sam, ...) fetches them.
os = __import__('os')

sam_arch = os.environ.get('SAM_ARCH') or 'vit_h'
sam_files = dict(
    vit_h='sam_vit_h_4b8939.pth',
    vit_l='sam_vit_l_0b3195.pth',
    vit_b='sam_vit_b_01ec64.pth',
    vit_t='mobile_sam.pt',
)
sam = dict(
    type='SAMEverything',
    arch=sam_arch,
    checkpoint=os.environ.get('SAM_VIT_H')
    or f'weights/{sam_files.get(sam_arch)}',
)
