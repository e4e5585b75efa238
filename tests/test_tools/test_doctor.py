# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The doctor finds what is wrong, and says the command that mends it."""

import json
import os
import runpy
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest
from mmfmwsss_cli import findings
from mmfmwsss_cli.findings import (
    Finding,
    check_distributions,
    check_machine,
    check_weights,
)
from mmfmwsss_cli.probe import probe_config, settings
from mmfmwsss_cli.probing import check_in_process

ROOT = Path(__file__).parents[2]


def test_two_owners_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    owners = dict(metadata.packages_distributions())
    owners['mmcv'] = ['onedl-mmcv', 'mmcv-lite']
    owners['cv2'] = ['opencv-python', 'opencv-python-headless']
    owners['mmpretrain'] = []
    monkeypatch.setattr(metadata, 'packages_distributions', lambda: owners)
    monkeypatch.setattr(metadata, 'version', lambda name: '1.0')
    found = {finding.about: finding for finding in check_distributions()}
    mmcv = found['mmcv']
    assert mmcv.level == 'error'
    assert 'mmcv-lite 1.0, onedl-mmcv 1.0' in mmcv.text
    assert mmcv.remedy.startswith('pip uninstall -y mmcv-lite onedl-mmcv')
    # Both opencv wheels have the same files, and make_env.sh installs both
    assert found['cv2'].level == 'note'
    assert 'the same files' in found['cv2'].text
    assert found['dense CRF'].text.startswith(('torch', 'pydensecrf'))


def test_two_versions_of_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    owners = dict(metadata.packages_distributions())
    builds = {'opencv-python': '4.12', 'opencv-contrib-python': '4.10'}
    owners['cv2'] = list(builds)
    version = metadata.version
    monkeypatch.setattr(metadata, 'packages_distributions', lambda: owners)
    monkeypatch.setattr(
        metadata, 'version', lambda name: builds.get(name) or version(name)
    )
    found = {finding.about: finding for finding in check_distributions()}
    assert found['cv2'].level == 'warn'
    assert 'opencv-contrib-python 4.10, opencv-python 4.12' in (
        found['cv2'].text
    )
    assert found['cv2'].remedy.startswith(
        'pip uninstall -y opencv-contrib-python opencv-python, '
    )


def test_what_is_needed_and_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metadata, 'packages_distributions', dict)
    monkeypatch.setattr(
        findings.importlib.util, 'find_spec', lambda name: None
    )
    found = {finding.about: finding for finding in check_distributions()}
    assert found['torch'] == Finding(
        'error', 'torch', 'not installed', 'pip install torch'
    )
    assert found['timm'].level == 'note'
    (missing,) = check_weights('weights')
    assert missing.level == 'error'


def test_models_of_own_photos_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # without weights
    for name in ('CUSTOM_MODELS', 'CLIP_VIT_B16', 'SAM_VIT_H'):
        monkeypatch.delenv(name, raising=False)
    config = str(ROOT / 'configs/fmwsss/custom_sam_masks.py')
    level, _, text = probe_config(config)[0]
    assert level == 'note'
    assert 'CUSTOM_MODELS=photo' in text
    monkeypatch.setenv('CUSTOM_MODELS', 'tiny')
    assert not any('CUSTOM_MODELS' in row[2] for row in probe_config(config))


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple('usage', 'free')
    for free, level in ((2**29, 'error'), (2**31, 'ok')):
        monkeypatch.setattr(
            findings.shutil, 'disk_usage', lambda _, free=free: usage(free)
        )
        assert check_machine()[-1].level == level


def test_weights_of_another_file(tmp_path: Path) -> None:
    (tmp_path / 'mobile_sam.pt').write_bytes(b'other')
    found = check_weights(str(tmp_path))
    (wrong,) = [finding for finding in found if finding.level == 'error']
    # SHA-256 of the five bytes, by another program
    assert 'd9298a10d1b0735837dc4bd85dac641b0f3cef27' in wrong.text
    assert wrong.remedy.endswith('tools/get_weights.py mobile_sam')
    (missing,) = [f for f in found if f.text.startswith('sam_vit_h:')]
    assert missing.level == 'note'
    assert missing.remedy == 'python tools/get_weights.py sam_vit_h'


def test_settings_that_name_paths() -> None:
    config = {
        'data_root': 'a variable of the config',
        'load_from': 'a.pth',
        'model': {
            'sources': [{'checkpoint': 'b.pth'}],
            'init_cfg': {'checkpoint': 'mmfmwsss://c'},
        },
        'test_dataloader': {'dataset': {'data_root': 'd'}},
        'unused': {'checkpoint': 'e.pth'},
    }
    assert sorted(settings(config)) == [
        ('checkpoint', 'b.pth'),
        ('data_root', 'd'),
        ('load_from', 'a.pth'),
    ]


def test_what_a_config_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('PARTWORLD_ROOT', raising=False)
    remedies = {
        row[3] for row in probe_config('fmwsss/partworld_seed.py')
        if row[0] == 'error'
    }  # fmt: skip
    assert remedies == {
        'python tools/partworld/make_dataset.py data/partworld',
        'python tools/test.py configs/fmwsss/partworld_sam_masks.py',
        'python tools/train.py configs/fmwsss/partworld_prompt.py',
    }
    (tmp_path / 'data/partworld').mkdir(parents=True)
    levels = {
        row[2]: row[0] for row in probe_config('fmwsss/partworld_seed.py')
    }
    assert levels['data_root: data/partworld'] == 'ok'


def test_needs_that_do_not_fit_only_warn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fits = findings.compare_need('memory', 2**30, 'a + b', free=2**31)
    assert fits.level == 'ok'
    assert fits.text == 'needs about 1.00 GiB, estimated (a + b)'
    short = findings.compare_need('memory', 2**31, 'a + b', free=2**30)
    assert short.level == 'warn' and 'batch_size' in short.remedy
    assert short.text.endswith('but 1.00 GiB are free')
    usage = namedtuple('usage', 'free')
    monkeypatch.setattr(findings.shutil, 'disk_usage', lambda _: usage(5))
    assert findings.compare_need('disk', 6, '').level == 'warn'
    monkeypatch.setattr(findings, 'free_memory', lambda: None)
    assert findings.compare_need('memory', 6, '').level == 'ok'


def test_free_memory_counts_caches() -> None:
    """It is what the system itself calls available, to a tenth."""
    text = Path('/proc/meminfo').read_text()
    kilobytes = int(text.partition('MemAvailable:')[2].split()[0])
    free = findings.free_memory()
    assert free == pytest.approx(kilobytes * 1024, rel=0.1)


def broken_torch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a torch that ends the process before the installed one."""
    (folder / 'torch.py').write_text(
        'import os, sys\nprint("no libtorch", file=sys.stderr)\n'
        'sys.stderr.flush()\nos.abort()\n'
    )
    paths = f'{folder}{os.pathsep}{ROOT}'
    monkeypatch.setenv('PYTHONPATH', paths)


def test_a_torch_that_kills_the_process_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_torch(tmp_path, monkeypatch)
    (found,) = check_in_process(None)
    assert (found.level, found.about) == ('error', 'torch')
    assert found.text == 'fails: no libtorch'
    assert found.remedy.startswith('pip install')


def test_the_command_ends_with_1_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_torch(tmp_path, monkeypatch)
    result = subprocess.run(
        [sys.executable, str(ROOT / 'tools/doctor.py'), '--json'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    record = json.loads(result.stdout)
    errors = [f for f in record['findings'] if f['level'] == 'error']
    assert record['errors'] == len(errors) >= 1
    assert 'torch' in {finding['about'] for finding in errors}


@pytest.mark.parametrize(
    ('typed', 'expected'),
    [
        ('tools/doctor.py', 'python tools/get_weights.py mobile_sam'),
        ('mmfmwsss doctor', 'mmfmwsss weights mobile_sam'),
    ],
)
def test_remedies_are_commands_as_this_one_was_typed(
    typed: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = runpy.run_path(str(ROOT / 'tools' / 'doctor.py'))
    monkeypatch.setattr(sys, 'argv', [typed])
    remedy = 'python tools/get_weights.py mobile_sam'
    text = module['as_text'](Finding('note', 'weights', 'missing', remedy))
    assert text.endswith(f'-> {expected}')
