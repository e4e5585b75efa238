# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Score the best alpha: an oracle that looks at the ground truth.

Makes the seeds of one route with several alphas in one run, writes none of
them, and scores all. Published numbers of CAMs are often the best of such a
sweep; ours are at the alpha of the config. The result is for analysis, never
a setting to train with.
"""

import argparse
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arguments import add_common_arguments

ALPHAS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)
EXAMPLES = r"""examples:
  python tools/oracle_alpha.py configs/fmwsss/partworld_seed.py \
      work_dirs/partworld/prompt/iter_400.pth --route fine_seed
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', nargs='?', help='of the prompts')
    parser.add_argument('--route', required=True, help='name in model.routes')
    parser.add_argument(
        '--alphas',
        type=float,
        nargs='+',
        default=ALPHAS,
        help='what to try beside the alpha of the config (default: '
        f'{" ".join(map(str, ALPHAS))})',
    )
    parser.add_argument(
        '--ground-truth', help='masks; default: those of the config'
    )
    return parser.parse_args(argv)


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported

from mmengine.config import Config
from mmengine.registry import TASK_UTILS
from prettytable import PrettyTable

import mmfmwsss  # noqa: F401  before mmseg: registers, and readies mmcv
from mmfmwsss.apis import (
    build_runner,
    load_config,
    run_reporting_user_errors,
)
from mmfmwsss.utils import UserInputError, atomic_path, resolve_path

PROTOCOL = 'ORACLE: alpha is swept on the ground truth'
READING = ('ignore_index', 'truth_numbers')  # how a metric reads the truth


def find_metric(config: Config, route: str) -> dict[str, Any]:
    """Find the config's metric of the route, else its first."""
    metrics = config.get('test_evaluator') or []
    metrics = metrics if isinstance(metrics, list) else [metrics]
    mine = [m for m in metrics if m.get('prediction') == route]
    return dict([*mine, *metrics, {}][0])


def alpha_of(seeder: Mapping[str, Any]) -> float | None:
    """Read the alpha of a seeder's config, or its default; None has none."""
    if 'alpha' in seeder:
        return float(seeder['alpha'])
    name = seeder['type']
    kind = TASK_UTILS.get(name if '.' in name else f'mmseg.{name}')
    parameters = inspect.signature(kind).parameters if kind else {}
    if 'alpha' not in parameters:
        return None
    return float(parameters['alpha'].default)


def sweep(config: Config, args: argparse.Namespace) -> float:
    """Replace the routes by one for each alpha.

    Args:
        config (Config): Of a seed run; changed in place.
        args (Namespace): Route, alphas and ground truth.

    Returns:
        float: The alpha of the config, which is in the sweep too.

    Raises:
        UserInputError: If there is no such route, its seeder has no alpha or
            there is no ground truth.
    """
    # Find a route with an alpha
    routes = config.model.get('routes') or {}
    found = {name: alpha_of(route.seeder) for name, route in routes.items()}
    fixed = found.get(args.route)
    if fixed is None:
        able = [name for name, alpha in found.items() if alpha is not None]
        raise UserInputError(
            f'Expected a route whose seeder has an alpha, one of {able}, but '
            f'got {args.route!r}.'
        )
    # Find the ground truth
    metric = find_metric(config, args.route)
    truth = args.ground_truth or metric.get('ground_truth_dir')
    if truth is None:
        raise UserInputError(
            'An oracle needs ground truth, but the config has none. Add '
            '--ground-truth DIR.'
        )
    # Copy the route for each alpha
    route = routes[args.route].to_dict()
    alphas = sorted({*args.alphas, fixed})
    config.model.routes = {
        str(alpha): {**route, 'seeder': {**route['seeder'], 'alpha': alpha}}
        for alpha in alphas
    }
    config.model.main_route = str(fixed)
    # Score each copy by a metric of its own, which reads the truth alike
    reading = {k: metric[k] for k in READING if k in metric}
    config.test_evaluator = [
        dict(
            type='SeedMetric',
            prediction=str(alpha),
            ground_truth_dir=truth,
            split=metric.get('split', ''),
            protocol=f'{args.route}, {PROTOCOL}',
            **reading,
        )
        for alpha in alphas
    ]
    return fixed


def report(metrics: dict[str, float], fixed: float) -> str:
    """Tabulate, with a line on the best number.

    Args:
        metrics (dict): ``'<alpha>/mIoU'`` and ``'<alpha>/images'``.
        fixed (float): The alpha of the config.
    """
    # Collect the mIoU of each alpha
    scores = {
        float(key.removesuffix('/mIoU')): score
        for key, score in metrics.items()
        if key.endswith('/mIoU')
    }
    if not scores:
        return 'no picture could be scored'
    # Find the oracle's alpha
    best = max(scores, key=lambda alpha: scores[alpha])
    # Mark it, and that of the config
    table = PrettyTable(['alpha', 'mIoU', ''])
    for alpha, score in scores.items():
        notes = ['the config'] * (alpha == fixed) + ['oracle'] * (
            alpha == best
        )
        table.add_row([alpha, f'{score:.2f}', ', '.join(notes)])
    return (
        f'{table.get_string()}\n{PROTOCOL}. {metrics[f"{fixed}/images"]:.0f} '
        f'images: {scores[best]:.2f} at alpha {best}; not to be compared with '
        f'weak supervision, which has {scores[fixed]:.2f} at the alpha '
        f'{fixed} of the config.'
    )


def main(argv: list[str] | None = None) -> int:
    """Sweep; 1 if some images failed, else 0."""
    args = parse_args(argv)
    config = load_config(args)
    fixed = sweep(config, args)
    config.load_from = args.checkpoint or config.get('load_from')
    # Look for the checkpoint first
    if config.load_from:
        command = config.get('train_command', 'tools/train.py')
        resolve_path(config.load_from, f'Make it with: {command}')
    # Test all alphas in one pass, in a folder of its own
    config.work_dir = str(Path(config.work_dir) / 'oracle_alpha')
    runner = build_runner(config)
    metrics = runner.test()
    # Write the scores, with the warning that they are an oracle's
    with atomic_path(Path(config.work_dir) / 'oracle_alpha.json') as path:
        content = dict(about=PROTOCOL, route=args.route, metrics=metrics)
        path.write_text(json.dumps(content, indent=2) + '\n')
    runner.logger.info('\n' + report(metrics, fixed))
    return int(any(v for k, v in metrics.items() if k.endswith('/failed')))


if __name__ == '__main__':
    run_reporting_user_errors(main)
