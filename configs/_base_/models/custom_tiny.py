# The tiny CLIP and SAM that come with the package, trained on drawn pictures,
# and DeepLabV3+ on a small ResNet-18 from scratch: to try the commands on own
# photos, not to get good masks.
_base_ = './sam_tiny.py'
# Pixels; as for PartWorld.
patch_size = 8
seed_side = 144
prompt_sides = (112, 176)
prompt_crop = 112
prompt_rate = 0.002  # CoOp's
network_crop = (112, 112)
network_scale = (256, 128)
network_epoch_photos = 160
network_batch_size = 16
network_outputs = dict(decode_head=dict(num_classes='auto'))
