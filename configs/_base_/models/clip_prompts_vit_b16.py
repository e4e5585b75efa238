# The prompt model on OpenAI's CLIP ViT-B/16, as in the paper. OpenAI's own
# ViT-B-16.pt, or any open_clip file of the model; never fetched by default.
os = __import__('os')

_base_ = './clip_prompts.py'
model = dict(
    clip=dict(
        arch='ViT-B-16-quickgelu',
        checkpoint=os.environ.get('CLIP_VIT_B16') or 'weights/ViT-B-16.pt',
    ),
)
