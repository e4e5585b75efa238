# Models and sizes for own photos: CLIP ViT-B/16 of OpenAI and SAM ViT-H, both
# by local path. For the files see docs/your_own_photos.md.
_base_ = './sam.py'
# Pixels. As for VOC, whose photos have a long side of 500.
patch_size = 16
seed_side = 480  # long side of what CLIP sees
prompt_sides = (288, 480)  # the same while prompts learn
prompt_crop = 224
network_crop = (512, 512)
network_scale = (2048, 512)  # long side at most, short side
