# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Train what a config describes: prompts, or a segmentation network."""

import argparse
import os
from contextlib import AbstractContextManager, nullcontext

from arguments import add_common_arguments, add_trust_argument

EXAMPLES = r"""examples:
  python tools/train.py configs/fmwsss/partworld_prompt.py
  python tools/train.py configs/fmwsss/voc_deeplabv3plus_r101.py --amp \
      --work-dir work_dirs/voc --cfg-options train_dataloader.batch_size=8
"""


def parse_args() -> argparse.Namespace:
    """Read the command line, as mmseg's."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_arguments(parser)
    add_trust_argument(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from a checkpoint; default: the latest in the work_dir',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: float16 on a GPU, bfloat16 on the CPU',
    )
    parser.add_argument(
        '--tensorboard',
        action='store_true',
        help='learning curves for TensorBoard, in WORK_DIR/*/vis_data',
    )
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmengine.config import Config
from mmengine.device import get_device

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import (
    build_runner,
    check_pretrained,
    load_config,
    run_reporting_user_errors,
)
from mmfmwsss.engine import (
    check_batches,
    prepare_processes,
    warn_of_other_batch,
)
from mmfmwsss.utils import locked_folder


def enable_amp(config: Config) -> None:
    """Wrap the optimiser for mixed precision."""
    if get_device() == 'cpu':
        config.optim_wrapper.type = 'Bfloat16OptimWrapper'
        return
    config.optim_wrapper.type = 'AmpOptimWrapper'
    config.optim_wrapper.loss_scale = 'dynamic'


def enable_tensorboard(config: Config) -> None:
    """Add TensorBoard to what draws learning curves."""
    backends = config.visualizer.setdefault('vis_backends', [])
    backends.append(dict(type='TensorboardVisBackend'))


def set_resume(config: Config, checkpoint: str | None) -> None:
    """Resume from the latest checkpoint, from a given one, or not at all."""
    config.resume = checkpoint is not None
    if checkpoint not in (None, 'auto'):
        config.load_from = checkpoint


def alone_in(config: Config) -> AbstractContextManager[None]:
    """Keep other trainings out of the work_dir; the first process does."""
    ranks = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
    rank = next((os.environ[name] for name in ranks if name in os.environ), 0)
    if config.launcher != 'none' and int(rank) > 0:
        return nullcontext()
    return locked_folder(config.work_dir, 'train')


def main() -> int:
    """Train."""
    args = parse_args()
    config = load_config(args)
    # Turn on what the arguments ask for
    if args.amp:
        enable_amp(config)
    if args.tensorboard:
        enable_tensorboard(config)
    set_resume(config, args.resume)
    prepare_processes(config, training=True)
    # Train, alone in the folder
    with alone_in(config):
        runner = build_runner(
            config, training=True, trust_checkpoint=args.trust_checkpoint
        )
        check_pretrained(runner.model, config.get('pretrained_remedy', ''))
        check_batches(runner)
        warn_of_other_batch(runner)
        runner.train()
    return 0


if __name__ == '__main__':
    run_reporting_user_errors(main)
