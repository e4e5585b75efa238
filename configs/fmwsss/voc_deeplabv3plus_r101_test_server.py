# Predict VOC 2012 test, which has no public masks, with the DeepLabV3+ of
# voc_deeplabv3plus_r101.py, and pack the palette PNGs as the evaluation server
# wants them: results/VOC2012/Segmentation/comp6_test_cls/*.png. Any other
# network: the same three settings under its config.
# Needs: its checkpoint, and the pictures and test.txt of VOC 2012 test in
#        data/VOCdevkit/VOC2012 (or $VOC12_ROOT).
# Run:   python tools/test.py \
#            configs/fmwsss/voc_deeplabv3plus_r101_test_server.py
#        (--tta: multi-scale)
# Cost:  not run here, see voc_deeplabv3plus_r101.py.
_base_ = './voc_deeplabv3plus_r101.py'
work_dir = 'work_dirs/voc12/deeplabv3plus_r101_test_server'
load_from = 'work_dirs/voc12/deeplabv3plus_r101/iter_40000.pth'
train_command = (
    'python tools/train.py configs/fmwsss/voc_deeplabv3plus_r101.py'
)
test_dataloader = dict(
    dataset=dict(
        image_list='ImageSets/Segmentation/test.txt',
        ground_truth_dir=None,
    )
)
test_evaluator = dict(
    _delete_=True,
    type='VOCTestArchive',
    output_dir=work_dir,
    split='VOC 2012 test',
)
