# DeepLabV3+ (ResNet-101) for own photos, with the optimiser of stage 2 on VOC.
# As many outputs as there are classes in the class file, and the background.
_base_ = './deeplabv3plus_r101.py'
model = dict(
    type='NamedClassesEncoderDecoder',
    decode_head=dict(num_classes='auto'),
    auxiliary_head=dict(num_classes='auto'),
)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
)
