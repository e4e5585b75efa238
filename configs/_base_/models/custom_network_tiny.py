# DeepLabV3+ (ResNet-18, half width, from scratch) to try the commands on own
# photos, with the optimiser of PartWorld.
_base_ = './deeplabv3plus_r18.py'
model = dict(
    type='NamedClassesEncoderDecoder',
    decode_head=dict(num_classes='auto'),
)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=1.0),
)
