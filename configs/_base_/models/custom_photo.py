# Models and sizes for own photos on a laptop: MobileSAM, the small CLIP for
# photos, DeepLabV3+ on EfficientNet-Lite2.
_base_ = './sam_mobile.py'
# Pixels. The CLIP is scored at a long side of 384 (docs/photo_clip.md); the
# others are not tuned.
patch_size = 16
seed_side = 384
prompt_sides = (256, 384)
prompt_crop = 224
prompt_rate = 0.2  # as animals_prompt.py
network_crop = (256, 256)
network_scale = (1024, 256)
# 20 epochs are 1,000 updates of 8, as for VOC-Animals.
network_epoch_photos = 400
network_batch_size = 8
network_outputs = dict(decode_head=dict(num_classes='auto'))
