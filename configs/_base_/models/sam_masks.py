# The generator of SAM's masks. A config adds the source and the folder:
#   model = dict(source=_base_.sam, output_dir='work_dirs/voc12/sam_masks')
model = dict(type='SAMMaskGenerator')
mask_pipeline = [dict(type='LoadImageStrict'), dict(type='PackWSSSInputs')]
