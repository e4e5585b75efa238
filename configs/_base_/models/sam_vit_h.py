# SAM ViT-H in everything mode, with the paper's three changes.
os = __import__('os')

sam = dict(
    type='SAMEverything',
    arch='vit_h',
    checkpoint=os.environ.get('SAM_VIT_H') or 'weights/sam_vit_h_4b8939.pth',
)
