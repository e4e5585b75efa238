# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Measure against what a user would run instead: JSON and a table.

Each comparison runs in a process of its own, demands equal results first, and
lets the ways take turns: a median of wall time, CPU time and the system's
share of it, and peak memory, with one thread and with all. Give it an idle
machine; about 20 minutes on 2 cores.

  a  prompt step at batch 4 and 16: plain PyTorch, the released code's way
  b  CAM and affinity of an image with 1, 2, 4 classes: class by class
  c  everything mode: SamAutomaticMaskGenerator
  d  SAMS: a loop over masks; dense CRF: pydensecrf
  e  masks and seeds of 40, 80 and 160 images: linear, memory flat
  f  stage-2 inference with and without SAMS
  g  many tiny pictures: nothing grows faster than their number
  h  share of this machine's matrix rate that is reached
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LETTERS = 'abcdefgh'
ORDER = 'dfeabchg'  # what may be cut off for want of time comes last
# What each takes on two idle cores
MINUTES = dict(a=4, b=3, c=4, d=1, e=3, f=0.5, g=2.5, h=2)
EXAMPLES = r"""examples:
  python tools/benchmarks/run.py
  python tools/benchmarks/run.py --only a,c --threads 1
  python tools/benchmarks/run.py --quick --out build/bench_quick
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--only',
        type=letters,
        default=list(ORDER),
        metavar='A,B',
        help='letters of comparisons (default: all)',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='small cases, to see that all works; no figures to quote',
    )
    parser.add_argument(
        '--threads',
        type=int,
        nargs='+',
        default=sorted({1, len(os.sched_getaffinity(0))}),
        metavar='N',
        help='numbers of threads (default: 1 and all cores)',
    )
    parser.add_argument(
        '--shared',
        default=os.environ.get('MMFMWSSS_SHARED') or str(ROOT / '../shared'),
        metavar='DIR',
        help='folder with weights/mobile_sam.pt and data/voc3, for photos '
        '(default: ../shared); left out where it is not there',
    )
    parser.add_argument(
        '--images',
        type=int,
        nargs='+',
        default=[],
        metavar='N',
        help='numbers of pictures of e and g (default: their own)',
    )
    parser.add_argument(
        '--within',
        type=float,
        default=20,
        metavar='MINUTES',
        help='stop what takes longer in all, or half of it for one of '
        'several comparisons (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('build/bench'),
        help='folder of bench.json and bench.md (default: %(default)s)',
    )
    parser.add_argument(
        '--here',
        action='store_true',
        help='run in this process, not each comparison in one of its own',
    )
    return parser.parse_args(argv)


def letters(text: str) -> list[str]:
    """Split letters of comparisons at commas."""
    found = [part.strip() for part in text.split(',') if part.strip()]
    unknown = sorted(set(found) - set(LETTERS))
    if unknown or not found:
        raise argparse.ArgumentTypeError(
            f'expected letters of {", ".join(LETTERS)}, e.g. a,c; got {text!r}'
        )
    return found


def run_apart(
    letter: str, argv: list[str], out: Path, minutes: float
) -> dict[str, Any]:
    """Run one comparison in a process of its own, and read its result."""
    if minutes <= 0:
        state = 'failed: no time was left; see --within'
        return {letter: dict(title='', state=state)}
    folder = out / letter
    path = folder / 'bench.json'
    path.unlink(missing_ok=True)
    command = [sys.executable, __file__, *argv]
    command += ['--only', letter, '--here', '--out', str(folder)]
    # Let it run; it writes what it has after each row
    state = ''
    try:
        done = subprocess.run(
            command,
            check=False,
            stdout=subprocess.DEVNULL,
            timeout=60 * minutes,
        )
        if done.returncode not in (0, 1):
            state = f'failed with code {done.returncode}'
    except subprocess.TimeoutExpired:
        state = f'failed: stopped after {minutes:.2g} minutes'
    # Read it, and note what went wrong
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text())
    else:
        found = {letter: dict(title='', state=state or 'failed')}
    if state:
        found[letter]['state'] = state
    return found


def run_here(
    letter: str, args: argparse.Namespace, results: dict[str, Any]
) -> dict[str, Any]:
    """Run one comparison in this process, and write each row at once."""
    from mmfmwsss.workshop.benchmarks import Row, Settings, measure

    settings = Settings(
        quick=args.quick,
        threads=tuple(args.threads),
        shared=args.shared,
        images=tuple(args.images),
    )

    def tell(found: dict[str, Any], row: Row) -> None:
        write(results | {letter: found}, args.out)
        times = ', '.join(f'{n} {t.wall:.3g} s' for n, t in row.times.items())
        say(f'    {row.case}, threads {row.threads}: {times or "counted"}')

    return {letter: measure(letter, settings, tell)}


def write(results: dict[str, Any], out: Path) -> str:
    """Write what there is as JSON and as a page, and return the page."""
    from mmfmwsss.workshop.benchmarks import report

    text = report(results)
    (out / 'bench.json').write_text(json.dumps(results, indent=1))
    (out / 'bench.md').write_text(text)
    return text


def say(text: str) -> None:
    """Write a line of progress."""
    print(text, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Measure; 1 if a comparison failed or found unequal results."""
    argv = sys.argv[1:] if argv is None else argv
    args = parse_args(argv)
    results: dict[str, Any] = {}
    args.out.mkdir(parents=True, exist_ok=True)
    start, text = time.monotonic(), ''
    for number, letter in enumerate(args.only):
        if args.here:
            results |= run_here(letter, args, results)
            text = write(results, args.out)
            continue
        # Say how far it is, by what the rest takes on two idle cores
        so_far = (time.monotonic() - start) / 60
        rest = sum(MINUTES[other] for other in args.only[number:])
        say(
            f'({letter}) {number + 1} of {len(args.only)}, '
            f'{so_far:.1f} minutes so far'
            + ('' if args.quick else f', about {rest:g} left')
        )
        # Run one; what fails is its result, and the others go on
        limit = args.within - so_far
        if letter != args.only[-1]:
            limit = min(limit, args.within / 2)
        results |= run_apart(letter, argv, args.out, limit)
        say(f'    {results[letter]["state"]}')
        text = write(results, args.out)
    print(text)
    fine = ('measured', 'left out')
    states = [found['state'] for found in results.values()]
    return int(not all(state.startswith(fine) for state in states))


if __name__ == '__main__':
    parse_args()  # --help and slips are answered before torch is imported
    sys.exit(main())
