# The tiny CLIP that comes with the package, for clip_prompts.py.
prompt_model = dict(
    clip=dict(
        arch=dict(
            embed_dim=64,
            vision_cfg=dict(
                layers=2,
                width=128,
                head_width=32,
                patch_size=8,
                image_size=112,
                pool_type='avg',
            ),
            text_cfg=dict(
                context_length=77,
                vocab_size=49408,
                width=64,
                heads=4,
                layers=3,
            ),
        ),
        checkpoint='mmfmwsss://tiny_clip.safetensors',
        # Both blocks of the tiny ViT.
        attention_layers=2,
    ),
    class_prompts='partworld',
    # Chosen on another world (docs/tables/partworld/notes.md): activations of
    # the tiny CLIP are small, so that L_CAL needs weight, and its attention
    # runs between objects and background, so that CAA spoils the maps and is
    # left out of the seeds (as the official code does for those of COCO).
    streams=dict(segmentation=dict(loss=dict(loss_weight=100.0))),
    training_route=dict(use_caa=False),
    routes=dict(fine_seed=dict(use_caa=False)),
)
# For comparisons: a template that is frequent in its captions.
manual_prompts = dict(type='ManualPrompts', templates=['a photo of a {}.'])
