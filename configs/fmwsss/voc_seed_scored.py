# The seeds of voc_seed.py, and what they are made of, each scored against the
# masks of VOC 2012 train_aug: CAM, CAM with CAA, coarse seed, fine seed
# without and with CAA, from the same features in one run. `fine_seed` is what
# stage 2 trains on. The paper reports 60.7, 69.1, 71.5, 73.5 and 74.2 mIoU.
# Needs: the checkpoint of voc_prompt.py, and SegmentationClassAug, made by
#        tools/dataset_converters/voc_aug.py.
# Run:   python tools/test.py configs/fmwsss/voc_seed_scored.py
# Cost:  not run here, see voc_prompt.py.
_base_ = ['./voc_seed.py', '../_base_/models/scored_routes.py']
model = dict(main_route='fine_seed', routes=_base_.scored_routes)
test_evaluator = [
    dict(
        _base_.test_evaluator,
        prediction=route,
        prefix=route,
        ground_truth_dir=f'{_base_.data_root}/SegmentationClassAug',
        output_dir=f'{_base_.work_dir}/{route}' if 'seed' in route else None,
    )
    for route in _base_.scored_routes
]
