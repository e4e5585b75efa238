# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Findings of a process that imports torch and the package."""

import json
import subprocess
import sys
from pathlib import Path

from .findings import Finding, compare_need

__all__ = ['check_in_process']

_PROBE = Path(__file__).with_name('probe.py')
_STEPS = ('torch', 'package', 'config', 'needs')


def check_in_process(config: str | None) -> list[Finding]:
    """Import torch, then the package, then read a config, elsewhere.

    What the config needs is compared with what is free.

    Args:
        config (str | None): A config, or the name of one; None for none.
    """
    # Run the steps; what a step found stays when a later one dies
    steps = _STEPS if config else _STEPS[:2]
    result = subprocess.run(
        [sys.executable, str(_PROBE), *([config] if config else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    found, done = [], 0
    for line in result.stdout.splitlines():
        if line.startswith('{"step"'):
            record = json.loads(line)
            found += [Finding(*row) for row in record.get('findings', ())]
            found += [compare_need(**need) for need in record.get('needs', ())]
            done = steps.index(record['step']) + 1
    # Name the step that died, with the last line that it said
    if done < len(steps):
        said = result.stderr.strip().splitlines() or [
            f'ended with code {result.returncode}'
        ]
        found.append(_explain(steps[done], said[-1]))
    return found


def _explain(step: str, said: str) -> Finding:
    remedies = {
        'torch': 'pip install --force-reinstall torch torchvision',
        'package': 'mend what the line says, or install the package anew',
        'config': 'correct the config, or name one that exists',
        'needs': 'none: memory and disk are not estimated for this config',
    }
    level = 'note' if step == 'needs' else 'error'
    return Finding(level, step, f'fails: {said}', remedies[step])
