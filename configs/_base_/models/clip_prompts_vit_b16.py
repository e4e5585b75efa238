# OpenAI's CLIP ViT-B/16 for clip_prompts.py, as in the paper. OpenAI's own
# ViT-B-16.pt, or any open_clip file of the model; never fetched by default.
os = __import__('os')

prompt_model = dict(
    clip=dict(
        arch='ViT-B-16-quickgelu',
        checkpoint=os.environ.get('CLIP_VIT_B16') or 'weights/ViT-B-16.pt',
    ),
)
# For comparisons: the template of CLIP-ES.
manual_prompts = dict(type='ManualPrompts', templates=['a clean origami {}.'])
