# Your own photos: the settings that all custom_*.py share. This is the one
# file to edit; what has a $NAME can be set without, as `export NAME=...`.
# The tutorial is docs/your_own_photos.md.
# Needs: $CUSTOM_ROOT (or data/custom) with the photos in `images`, their tags
#        in `image_labels.csv` and the class names in `classes.yaml`.
#        $CUSTOM_MODELS chooses the models: vit_b16 (the full ones; for a
#        GPU), photo (for a laptop) or tiny (a rehearsal without weights). If
#        it is not set, the tools take vit_b16 where CLIP and SAM are in
#        weights/, else photo, and say so.
# Run:   python tools/test.py configs/fmwsss/custom_sam_masks.py
#        python tools/train.py configs/fmwsss/custom_prompt.py
#        python tools/test.py configs/fmwsss/custom_seed.py
#        python tools/train.py configs/fmwsss/custom_deeplabv3plus.py
#        python tools/test.py configs/fmwsss/custom_predict.py
#        (all with the settings of configs/fmwsss/custom.py)
# Cost:  that of each stage is in its config; see docs/your_own_photos.md.
# Not an import statement, which mmengine takes for another kind of config.
os = __import__('os')

_base_ = '../_base_/default_runtime.py'

# What you have. The folders and files are below data_root.
data_root = os.environ.get('CUSTOM_ROOT') or 'data/custom'
image_dir = 'images'
image_suffix = ('.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG')
# A .csv, .json or .txt file.
label_file = os.environ.get('CUSTOM_LABELS') or 'image_labels.csv'
class_prompts = f'{data_root}/classes.yaml'
# Photos to segment with the trained network; they need no tags.
predict_dir = os.environ.get('CUSTOM_PREDICT_DIR') or 'images'
# Where the results go.
work = os.environ.get('CUSTOM_WORK') or 'work_dirs/custom'

# How long to train.
# Passes over the photos: 25 as for the 10,582 of VOC.
prompt_epochs = int(os.environ.get('CUSTOM_PROMPT_EPOCHS') or '25')
# Each is of `network_epoch_photos` photos of
# ../_base_/models/custom_*.py, however many there are.
network_epochs = int(os.environ.get('CUSTOM_NETWORK_EPOCHS') or '20')
batch_size = 16  # of the prompts
# Photos in image_dir without a seed (that have no line in label_file) are
# left out; a greater share of them is an error.
max_missing = 0.5

# Nothing to edit below.
mask_dir = f'{work}/sam_masks'
seed_dir = f'{work}/seed/fine_seed'
photos = dict(
    type='ImageLabelDataset',
    class_prompts=class_prompts,
    data_root=data_root,
    image_dir=image_dir,
    image_suffix=image_suffix,
    label_file=label_file,
)
one_by_one = dict(
    batch_size=1,  # photos differ in size
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
)
load_masks = dict(
    type='LoadSAMMasks',
    mask_dir=mask_dir,
    mask_command='python tools/test.py configs/fmwsss/custom_sam_masks.py',
)
