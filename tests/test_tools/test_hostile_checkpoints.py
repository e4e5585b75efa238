# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A crafted checkpoint runs nothing, whichever way a tool gets it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    'way', ['test', 'test folder', 'load_from', 'resume', 'resume auto']
)
def test_nothing_is_run(
    way: str, partworld_root: Path, tmp_path: Path, hostile: Any
) -> None:
    work = tmp_path / 'work'
    work.mkdir()
    evil = work / 'evil.pth'
    torch.save(dict(state_dict={}, meta=dict(iter=1, a=hostile)), evil)
    (work / 'last_checkpoint').write_text(str(evil))
    masks = 'train_dataloader.dataset.pipeline.1.mask_dir=' + str(tmp_path)
    train = [
        'tools/train.py', 'configs/fmwsss/partworld_prompt.py',
        '--work-dir', str(work), '--cfg-options', masks,
    ]  # fmt: skip
    test = ['tools/test.py', 'configs/fmwsss/partworld_seed.py']
    arguments = {
        'test': [*test, str(evil)],
        'test folder': [*test, str(work)],
        'load_from': [*train, f'load_from={evil}'],
        'resume': [*train, '--resume', str(evil)],
        'resume auto': [*train, '--resume'],
    }[way]
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ
        | dict(PYTHONPATH=str(ROOT), PARTWORLD_ROOT=str(partworld_root)),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 2, output[-2000:]
    assert 'Traceback' not in output
    assert 'would run code' in ' '.join(output.split()), output[-2000:]
