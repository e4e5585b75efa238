# The tiny CLIP and SAM that come with the package, trained on drawn pictures:
# to try the commands on own photos, not to get good masks.
_base_ = './sam_tiny.py'
# Pixels; as for PartWorld.
patch_size = 8
seed_side = 144
prompt_sides = (112, 176)
prompt_crop = 112
network_crop = (112, 112)
network_scale = (256, 128)
