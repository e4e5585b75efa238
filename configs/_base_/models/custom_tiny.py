# The tiny CLIP and SAM that come with the package, trained on drawn pictures:
# to try the commands on own photos, not to get good masks.
sam = dict(
    type='SAMEverything',
    arch=dict(
        image_size=128,
        patch_size=8,
        encoder_width=96,
        encoder_depth=5,
        encoder_heads=3,
        decoder_width=64,
        decoder_heads=4,
        decoder_mlp=256,
    ),
    checkpoint='mmfmwsss://tiny_sam.safetensors',
    # As for PartWorld.
    points_per_side=16,
    points_per_batch=32,
    crop_n_layers=0,
    pred_iou_thresh=0.4,
    stability_score_thresh=0.3,
    box_nms_thresh=0.8,
    min_mask_region_area=10,
)
# Pixels; as for PartWorld.
patch_size = 8
seed_side = 144
prompt_sides = (112, 176)
prompt_crop = 112
network_crop = (112, 112)
network_scale = (256, 128)
