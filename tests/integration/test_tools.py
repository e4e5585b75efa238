# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The command line: bad input gets one clear line, not a traceback."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mmfmwsss.structures import SAMMasks

ROOT = Path(__file__).parents[2]


def run(
    *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | dict(PYTHONPATH=str(ROOT)) | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The last line of a refused command."""
    output = result.stdout + result.stderr
    assert result.returncode == 2, output[-2000:]
    assert 'Traceback' not in output
    return re.sub(r'\s+', ' ', output[-1500:])


def test_missing_config() -> None:
    text = refused(run('tools/train.py', 'configs/none.py'))
    assert 'configs/none.py is not there' in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ('damage', 'expected'),
    [
        ('no data', 'make_dataset.py'),
        ('unknown class', 'submarine'),
        ('no labels', 'train_0002'),
        ('missing image', 'train_0001'),
        ('no masks', 'sam_masks'),
        ('corrupt JPEG', 'train_0003'),
    ],
)
def test_bad_data_is_named_with_a_remedy(
    damage: str, expected: str, partworld_root: Path, tmp_path: Path
) -> None:
    root = tmp_path / 'world'
    shutil.copytree(partworld_root, root)
    labels = root / 'image_labels.txt'
    lines = labels.read_text().splitlines()
    if damage == 'no data':
        shutil.rmtree(root)
    elif damage == 'unknown class':
        labels.write_text('\n'.join([lines[0] + ' submarine', *lines[1:]]))
    elif damage == 'no labels':
        lines[2] = lines[2].split()[0]
        labels.write_text('\n'.join(lines))
    elif damage == 'missing image':
        (root / 'JPEGImages' / 'train_0001.jpg').unlink()
    elif damage == 'corrupt JPEG':
        (root / 'JPEGImages' / 'train_0003.jpg').write_bytes(b'\xff\xd8broken')
    options = ['train_cfg.max_iters=3', 'train_dataloader.num_workers=1']
    if damage != 'no masks':
        for name in (line.split()[0] for line in lines):
            size = Image.open(partworld_root / f'JPEGImages/{name}.jpg').size
            SAMMasks.empty(size[::-1]).save(tmp_path / f'masks/{name}.json')
        masks = (
            f'train_dataloader.dataset.pipeline.1.mask_dir={tmp_path}/masks'
        )
        options.append(masks)
    text = refused(
        run(
            'tools/train.py', 'configs/fmwsss/partworld_prompt.py',
            '--work-dir', str(tmp_path / 'run'), '--cfg-options', *options,
            PARTWORLD_ROOT=str(root),
        )
    )  # fmt: skip
    assert expected in text


@pytest.mark.slow
def test_a_corrupt_image_does_not_end_a_long_run(
    partworld_root: Path, tmp_path: Path
) -> None:
    root = tmp_path / 'world'
    shutil.copytree(partworld_root, root)
    (root / 'JPEGImages' / 'train_0003.jpg').write_bytes(b'\xff\xd8broken')
    result = run(
        'tools/test.py', 'configs/fmwsss/partworld_sam_masks.py',
        '--work-dir', str(tmp_path / 'run'),
        '--cfg-options', f'model.output_dir={tmp_path / "masks"}',
        PARTWORLD_ROOT=str(root),
    )  # fmt: skip
    output = result.stdout + result.stderr
    assert result.returncode == 1, output[-2000:]
    assert 'train_0003' in output
    assert 'Traceback' not in output
    written = {path.stem for path in (tmp_path / 'masks').glob('*.json')}
    assert len(written) == 7
    assert 'train_0003' not in written


def test_missing_checkpoint(tmp_path: Path) -> None:
    text = refused(
        run('tools/test.py', 'configs/fmwsss/partworld_seed.py', 'none.pth')
    )
    assert 'none.pth' in text
    assert 'tools/train.py configs/fmwsss/partworld_prompt.py' in text
