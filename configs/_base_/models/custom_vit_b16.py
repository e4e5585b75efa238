# Models and sizes for own photos: CLIP ViT-B/16 of OpenAI, SAM ViT-H, and
# DeepLabV3+ on ResNet-101, all by local path. For the files see
# docs/your_own_photos.md.
_base_ = './sam.py'
# Pixels. As for VOC, whose photos have a long side of 500.
patch_size = 16
seed_side = 480  # long side of what CLIP sees
prompt_sides = (288, 480)  # the same while prompts learn
prompt_crop = 224
prompt_rate = 0.002  # CoOp's
network_crop = (512, 512)
network_scale = (2048, 512)  # long side at most, short side
# 20 epochs are 10,000 updates of 16, a quarter of VOC's.
network_epoch_photos = 8000
network_batch_size = 16
network_outputs = dict(
    decode_head=dict(num_classes='auto'),
    auxiliary_head=dict(num_classes='auto'),
)
