# The seeds of coco_seed.py, and what they are made of, each scored against the
# masks of COCO 2014 train: CAM, CAM with CAA, coarse seed, fine seed
# without and with CAA, from the same features in one run. `fine_seed` is what
# stage 2 trains on. The paper scores none of them on COCO.
# Needs: the checkpoint of coco_prompt.py, and SegmentationClass, made by
#        tools/dataset_converters/coco14.py.
# Run:   python tools/test.py configs/fmwsss/coco_seed_scored.py
# Cost:  not run here, see coco_prompt.py.
_base_ = ['./coco_seed.py', '../_base_/models/scored_routes.py']
model = dict(main_route='fine_seed', routes=_base_.scored_routes)
test_evaluator = [
    dict(
        _base_.test_evaluator,
        prediction=route,
        prefix=route,
        ground_truth_dir=f'{_base_.data_root}/SegmentationClass/train2014',
        output_dir=f'{_base_.work_dir}/{route}' if 'seed' in route else None,
    )
    for route in _base_.scored_routes
]
