# Of the tables of the paper: which run, and where it is. The variables are set
# by tools/reproduce_tables.py; the configs of configs/fmwsss/ablation read
# $ABLATION_DATASET and $ABLATION_NETWORK for what they vary.
os = __import__('os')

root = os.environ.get('ABLATION_ROOT') or 'work_dirs/ablation/partworld'
folder = os.environ.get('ABLATION_RUN') or 'work_dirs/ablation/partworld/seed0'
dataset = os.environ.get('ABLATION_DATASET') or 'partworld'
network = os.environ.get('ABLATION_NETWORK') or 'partworld_deeplabv3plus'
seed = int(os.environ.get('ABLATION_SEED') or '0')
