# MobileSAM with a grid of 16 x 16 points and no crops, which a CPU can do: one
# crop layer takes as long again. The grid is laid in rounds, without points on
# what is found: not the paper's, but 2.6 times as fast, and the seeds of 134
# photos were no worse (docs/performance.md).
# `python tools/get_weights.py mobile_sam` fetches its weights.
os = __import__('os')

sam = dict(
    type='SAMEverything',
    arch='vit_t',
    checkpoint=os.environ.get('MOBILE_SAM') or 'weights/mobile_sam.pt',
    points_per_side=16,
    crop_n_layers=0,
    skip_covered_points=True,
)
