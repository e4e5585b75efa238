# The tiny SAM that comes with the package, in everything mode.
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
    # Chosen on pictures of other seeds for a model of 0.85 M parameters, whose
    # IoU predictions and logits are lower than SAM's.
    points_per_side=16,
    points_per_batch=32,
    crop_n_layers=0,
    pred_iou_thresh=0.4,
    stability_score_thresh=0.3,
    box_nms_thresh=0.8,
    min_mask_region_area=10,
)
