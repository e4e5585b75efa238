# The ways from CAMs to seeds that Tables 1 and 4 of the paper compare, each at
# its default alpha; `fine_seed` is the base's own:
#   model = dict(main_route='fine_seed', routes=_base_.scored_routes)
sams = dict(type='SAMS', alpha=0.6)
argmax = dict(type='ArgmaxSeeder', alpha=1.0)
scored_routes = dict(
    fine_seed=dict(stream='segmentation', use_caa=True, seeder=sams),
    fine_seed_no_caa=dict(stream='segmentation', use_caa=False, seeder=sams),
    coarse_seed=dict(stream='classification', use_caa=True, seeder=sams),
    cam=dict(stream='segmentation', use_caa=False, seeder=argmax),
    cam_caa=dict(stream='segmentation', use_caa=True, seeder=argmax),
)
