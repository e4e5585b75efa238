# Two sets of prompts on a frozen CLIP (section 4 of the paper). A config adds
# what clip_prompts_*.py says of a CLIP, and its `class_prompts`:
#   model = dict(_base_.prompt_model, class_prompts='voc12')
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[122.771, 116.746, 104.094],  # CLIP's, RGB
    std=[68.501, 66.632, 70.323],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size_divisor=1,
)
model = dict(
    type='CLIPPromptSegmentor',
    data_preprocessor=data_preprocessor,
    clip=dict(type='FrozenCLIP'),
    streams=dict(
        # Eq. 5: one context for all classes, the name at the end.
        classification=dict(
            type='CLIPPromptHead',
            prompts=dict(
                type='LearnablePrompts',
                context_length=16,
                class_specific=False,
                name_position='end',
            ),
            loss=dict(type='MultiLabelContrastiveLoss'),
        ),
        # Eq. 6 and 7: a context a class, the name in front, nameless
        # backgrounds.
        segmentation=dict(
            type='CLIPPromptHead',
            prompts=dict(
                type='LearnablePrompts',
                context_length=16,
                class_specific=True,
                name_position='front',
                nameless_background=True,
                init_seed=1,
            ),
            loss=dict(type='CAMActivationLoss'),
        ),
    ),
    caa=dict(type='CAA'),
    training_route=dict(
        stream='classification',
        use_caa=True,
        seeder=dict(type='SAMS', alpha=0.6),
    ),
    routes=dict(
        fine_seed=dict(
            stream='segmentation',
            use_caa=True,
            seeder=dict(type='SAMS', alpha=0.6),
        ),
    ),
)
