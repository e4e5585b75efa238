# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Run what a config describes: masks, seeds, or the test of a network."""

import argparse
import os
import time

from arguments import add_common_arguments, add_trust_argument

EXAMPLES = r"""examples:
  python tools/test.py configs/fmwsss/partworld_sam_masks.py
  python tools/test.py configs/fmwsss/partworld_deeplabv3plus.py \
      work_dirs/partworld/deeplabv3plus --out predictions
"""


def parse_args() -> argparse.Namespace:
    """Read the command line, as mmseg's, with an optional checkpoint."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_arguments(parser)
    add_trust_argument(parser)
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint, or the folder of a run for its latest one; '
        'default: `load_from` of the config, if any',
    )
    parser.add_argument('--out', help='folder for the predictions')
    parser.add_argument(
        '--save-cams',
        metavar='DIR',
        help='folder for the CAMs of the seeds, one .npy an image, as '
        'tools/explain.py and tools/seed_from_cams.py read them '
        '(--format npy)',
    )
    parser.add_argument('--show', action='store_true', help='show results')
    parser.add_argument('--show-dir', help='folder for painted images')
    parser.add_argument(
        '--wait-time',
        type=float,
        default=2,
        help='seconds an image is shown (default: %(default)s)',
    )
    parser.add_argument(
        '--tta', action='store_true', help='test-time augmentation'
    )
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmengine.config import Config, ConfigDict
from mmengine.runner import find_latest_checkpoint

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import (
    build_runner,
    load_config,
    run_reporting_user_errors,
    write_metrics,
)
from mmfmwsss.datasets.wrapped_datasets import inner_settings
from mmfmwsss.engine import prepare_processes, set_test_loop
from mmfmwsss.utils import UserInputError, nearby_files


def set_checkpoint(config: Config, checkpoint: str | None) -> None:
    """Choose the checkpoint and see that it is there."""
    # Find the latest checkpoint in the folder of a run
    if checkpoint is not None and os.path.isdir(checkpoint):
        latest = find_latest_checkpoint(checkpoint)
        if latest is None:
            raise UserInputError(
                f'Expected a checkpoint in the folder of a run, {checkpoint}, '
                f'but it has none. Train with tools/train.py first.'
            )
        checkpoint = latest
    # Prefer it to that of the config
    if checkpoint is not None:
        config.load_from = checkpoint
    # Look for the file before data and model are built
    path = config.get('load_from')
    if path and '://' not in path and not os.path.isfile(path):
        command = config.get('train_command', 'tools/train.py with its config')
        raise UserInputError(
            f'Expected a checkpoint at {path}, but it is not there.'
            f'{nearby_files(path)} Make it with: {command}'
        )


def set_outputs(config: Config, args: argparse.Namespace) -> None:
    """Turn on painted images and saved predictions."""
    # Turn the painting on
    if args.show or args.show_dir:
        hook = config.default_hooks.visualization
        hook.draw, hook.show, hook.wait_time = True, args.show, args.wait_time
        hook.interval = 1  # mmseg's default paints every 50th image
        if args.show_dir:
            set_show_dir(config, args.show_dir)
    # Let the first metric write its label maps
    if args.out is not None:
        evaluators = config.test_evaluator
        first = evaluators[0] if isinstance(evaluators, list) else evaluators
        first.output_dir = args.out
    if args.save_cams is not None:
        save_cams(config, args.save_cams)
    if args.tta:
        set_augmentation(config)


def save_cams(config: Config, folder: str) -> None:
    """Let the model keep its CAMs, and write those of the first metric."""
    # Refuse models that make none
    if not is_type(config.model, 'CLIPPromptSegmentor'):
        raise UserInputError(
            'Expected the config of seeds, such as partworld_seed.py, for '
            f'--save-cams, but its model is {config.model.type}.'
        )
    config.model.test_cfg = dict(
        config.model.get('test_cfg') or {}, keep_cams=True
    )
    # Write them beside the seeds of the first metric
    evaluators = config.test_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    route = evaluators[0].get('prediction', 'fine_seed')
    writer = dict(type='CAMWriter', output_dir=folder, prediction=route)
    config.test_evaluator = [*evaluators, writer]


def set_show_dir(config: Config, folder: str) -> None:
    """Save painted images, named after the images where ours paints."""
    ours = is_type(config.visualizer, 'NamedLabelVisualizer')
    config.visualizer['show_dir' if ours else 'save_dir'] = folder


def set_augmentation(config: Config) -> None:
    """Turn on test-time augmentation, and say so in the protocol.

    Raises:
        UserInputError: If the config has none.
    """
    # Refuse a config without a pipeline for it
    if 'tta_pipeline' not in config:
        raise UserInputError(
            'Expected `tta_pipeline` and `tta_model` in the config for --tta, '
            'but it has no pipeline. Test without --tta, or take them from '
            'configs/_base_/datasets/segmentor_pipelines.py.'
        )
    # Wrap the model in one that merges the copies
    for dataset in inner_settings(config.test_dataloader.dataset):
        dataset.pipeline = config.tta_pipeline
    tta_model = config.get('tta_model') or ConfigDict(type='SegTTAModel')
    if is_type(config.model, 'RefinedSegmentor') and is_type(
        tta_model, 'SegTTAModel'
    ):  # which would merge the copies and forget their refinement
        tta_model.type = 'mmseg.RefinedSegTTAModel'
    tta_model.module = config.model
    config.model = tta_model
    # Correct the protocol that is noted with the scores
    evaluators = config.test_evaluator
    for metric in evaluators if isinstance(evaluators, list) else [evaluators]:
        if metric.get('protocol'):
            metric.protocol = metric.protocol.replace(
                'single scale', 'multi-scale and flip'
            )


def is_type(config: ConfigDict, name: str) -> bool:
    """Tell if a config builds a class, by name, scoped name or itself."""
    found = config.get('type')
    found = found if isinstance(found, str) else found.__name__
    return found.rsplit('.', 1)[-1] == name


def main() -> int:
    """Test; 1 if some images failed, else 0."""
    args = parse_args()
    # Prepare config and processes
    config = load_config(args)
    set_checkpoint(config, args.checkpoint)
    set_outputs(config, args)
    prepare_processes(config, training=False)
    set_test_loop(config)
    # Test, and write the scores
    runner = build_runner(config, trust_checkpoint=args.trust_checkpoint)
    started = time.time()
    metrics = runner.test()
    write_metrics(runner, metrics, time.time() - started)
    # Count the images that failed, by the metric with most of them
    failed = max(
        (v for k, v in metrics.items() if k.split('/')[-1] == 'failed'),
        default=0,
    )
    if failed:
        runner.logger.error(
            f'{failed:.0f} images failed; they are listed above.'
        )
    return int(failed > 0)


if __name__ == '__main__':
    run_reporting_user_errors(main)
