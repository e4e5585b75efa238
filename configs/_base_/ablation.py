# Which run of the paper's tables, and where it is: the variables are set by
# tools/reproduce_tables.py. The configs of configs/fmwsss/ablation choose the
# data set or the network to vary by the same variables; mmengine lets `_base_`
# use `os` as it is.
os = __import__('os')

root = os.environ.get('ABLATION_ROOT') or 'work_dirs/ablation/partworld'
folder = os.environ.get('ABLATION_RUN') or 'work_dirs/ablation/partworld/seed0'
dataset = os.environ.get('ABLATION_DATASET') or 'partworld'
network = os.environ.get('ABLATION_NETWORK') or 'partworld_deeplabv3plus'
seed = int(os.environ.get('ABLATION_SEED') or '0')
