# Models and sizes for own photos: CLIP ViT-B/16 of OpenAI and SAM ViT-H, both
# by local path. For the files see docs/your_own_photos.md.
os = __import__('os')

sam = dict(
    type='SAMEverything',
    arch=os.environ.get('SAM_ARCH') or 'vit_h',  # vit_b and vit_l are smaller
    checkpoint=os.environ.get('SAM_VIT_H') or 'weights/sam_vit_h_4b8939.pth',
)
# Pixels. As for VOC, whose photos have a long side of 500.
patch_size = 16
seed_side = 480  # long side of what CLIP sees
prompt_sides = (288, 480)  # the same while prompts learn
prompt_crop = 224
network_crop = (512, 512)
network_scale = (2048, 512)  # long side at most, short side
