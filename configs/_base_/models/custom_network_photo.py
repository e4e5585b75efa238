# DeepLabV3+ (ResNet-18, half width) for own photos on a laptop. It starts from
# scratch, for no ImageNet weights of it come with a package.
_base_ = './deeplabv3plus_r18.py'
model = dict(
    type='NamedClassesEncoderDecoder',
    data_preprocessor=dict(size=(256, 256)),  # as custom_photo.py crops
    decode_head=dict(num_classes='auto'),
)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=1.0),
)
