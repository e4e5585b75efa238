# Segment photos with the trained network: palette PNGs in
# work_dirs/custom/predictions. They need no tags and are not scored; where you
# have masks, `<photo>.png` of label values, add
# --cfg-options test_evaluator.ground_truth_dir=FOLDER.
# Needs: the checkpoint of custom_deeplabv3plus.py; photos in `predict_dir`.
# Run:   python tools/test.py configs/fmwsss/custom_predict.py
#        (--show-dir FOLDER paints the labels over the photos)
# Cost:  CUSTOM_MODELS=photo: 31 s of one CPU thread for 160 photos of VOC, the
#        start included (measured); with the full models not run.
_base_ = './custom_deeplabv3plus.py'
work_dir = f'{_base_.work}/predict'
load_from = f'{_base_.work}/deeplabv3plus/epoch_{_base_.network_epochs}.pth'
train_command = 'python tools/train.py configs/fmwsss/custom_deeplabv3plus.py'
