# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Check the installation, and what a config needs: a text for reports.

Exit code 1 if something has to be mended; each finding says the command that
mends it. Memory and disk of a config are estimates, and only warn. torch and
the package are imported in a process of their own, so that one that is broken
is a finding.
"""

import argparse
import json
import sys

from mmfmwsss_cli import in_own_words
from mmfmwsss_cli.findings import (
    Finding,
    check_distributions,
    check_machine,
    check_weights,
)
from mmfmwsss_cli.probing import check_in_process

EXAMPLES = r"""examples:
  python tools/doctor.py
  python tools/doctor.py configs/fmwsss/voc_prompt.py
  python tools/doctor.py --json
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'config', nargs='?', help='config whose files are looked for, too'
    )
    parser.add_argument(
        '--weights',
        default='weights',
        help='folder of the weights (default: %(default)s)',
    )
    parser.add_argument(
        '--json', action='store_true', help='print JSON instead of text'
    )
    return parser.parse_args(argv)


def as_text(finding: Finding) -> str:
    """Write a finding in one line, its remedy in a second."""
    line = f'{finding.level:<6} {finding.about:<12} {finding.text}'
    if finding.remedy:
        # Name commands as this one was typed.
        typed = sys.argv[0].startswith('mmfmwsss ')
        remedy = in_own_words(finding.remedy) if typed else finding.remedy
        line += f'\n{"":19} -> {remedy}'
    return line


def main(argv: list[str] | None = None) -> int:
    """Check; 1 if there is an error."""
    args = parse_args(argv)
    found: list[Finding] = []
    # Print each part when it is there: the slow ones come last
    for check in (
        check_distributions,
        check_machine,
        lambda: check_weights(args.weights),
        lambda: check_in_process(args.config),
    ):
        part = check()
        found += part
        if not args.json:
            print('\n'.join(map(as_text, part)), flush=True)
    # Count what has to be mended
    errors = sum(finding.level == 'error' for finding in found)
    if args.json:
        record = [vars(finding) for finding in found]
        print(json.dumps({'errors': errors, 'findings': record}, indent=2))
    else:
        warnings = sum(finding.level == 'warn' for finding in found)
        text = f'{errors} errors' if errors else 'no errors'
        print(text + (f', {warnings} warnings' if warnings else ''))
    return int(errors > 0)


if __name__ == '__main__':
    sys.exit(main())
