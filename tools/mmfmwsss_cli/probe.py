# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Import step by step and print what is found; run by ``probing.py``."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

Rows = list[tuple[str, ...]]

# Settings of a config that name files or folders which have to be there.
_FILES = ('checkpoint', 'stem_checkpoint', 'load_from')
_FOLDERS = ('data_root', 'mask_dir')


def probe_torch() -> Rows:
    """Name devices and threads."""
    import torch

    # Name each GPU with its memory
    rows: Rows = [('ok', 'threads', f'{torch.get_num_threads()} of torch, '
             f'{os.cpu_count()} processors')]  # fmt: skip
    for index in range(torch.cuda.device_count()):
        device = torch.cuda.get_device_properties(index)
        size = device.total_memory / 2**30
        rows.append(('ok', 'device', f'{device.name}, {size:.0f} GiB'))
    if len(rows) == 1:
        rows.append(('note', 'device', 'no GPU that torch can use'))
    return rows


def probe_package() -> Rows:
    """Import the package, and tell mmcv's ops from their stand-in."""
    import mmfmwsss
    from mmfmwsss.compat import OpsStandIn

    stand_in = isinstance(sys.modules.get('mmcv._ext'), OpsStandIn)
    ops = 'a stand-in; Mask2Former works' if stand_in else 'compiled'
    version = mmfmwsss.__version__
    return [('ok', 'mmfmwsss', version), ('ok', 'mmcv ops', ops)]


def probe_config(name: str) -> Rows:
    """Look for the files and folders that a config names."""
    from mmfmwsss.utils import read_config
    from mmfmwsss.utils.custom_models import choose_custom_models

    config = read_config(name)
    choice = choose_custom_models(config.text)
    rows: Rows = [('note', 'config', choice.reason)] if choice else []
    needed = 0
    for key, path in dict.fromkeys(settings(config.to_dict())):
        there = Path(path).exists()
        if there and key in _FILES:
            needed += Path(path).stat().st_size
        if there:
            rows.append(('ok', 'config', f'{key}: {path}'))
        else:
            remedy = remedy_of(key, path, config)
            rows.append(
                ('error', 'config', f'{key}: {path} is not there', remedy)
            )
    size = f'weights of {needed / 1e6:.0f} MB, each process reads them'
    return [*rows, ('ok', 'config', size)]


def probe_needs(name: str) -> list[dict[str, Any]]:
    """Estimate memory and disk of a run; nothing where it cannot be."""
    import torch

    from mmfmwsss.apis.class_count import fill_num_classes
    from mmfmwsss.apis.run_needs import (
        count_images,
        estimate_disk,
        estimate_memory,
    )
    from mmfmwsss.utils import UserInputError, read_config

    # Count; a config that is not whole yet has errors above
    config = read_config(name)
    try:
        fill_num_classes(config)
        memory = estimate_memory(config)
        disk = estimate_disk(config, count_images(config))
    except UserInputError:
        return []
    # Compare memory with that of the GPU, where there is one
    gpu = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
    found = (('memory', memory, gpu), ('disk', disk, None))
    return [
        dict(about=about, size=each.size, terms=each.terms, free=free)
        for about, each, free in found
        if each is not None
    ]


def settings(node: Any, key: str = '') -> Iterator[tuple[str, str]]:
    """Yield settings that name a path of this machine."""
    if isinstance(node, dict):
        # Parts of a config that no run builds are left out
        for name, value in node.items():
            if key or name in ('model', 'load_from') or 'dataloader' in name:
                yield from settings(value, str(name))
    elif isinstance(node, list | tuple):
        for value in node:
            yield from settings(value, key)
    elif key in (*_FILES, *_FOLDERS) and isinstance(node, str):
        yield from [] if '://' in node else [(key, node)]


def remedy_of(key: str, path: str, config: Any) -> str:
    """Name the command that makes or gets a file."""
    # Weights that are known have their own command
    from mmfmwsss.apis.known_weights import read_known_weights

    for weights in read_known_weights():
        if weights.file == Path(path).name:
            return f'python tools/get_weights.py {weights.name}'
    # Earlier stages make the others
    if key == 'load_from':
        return str(config.get('train_command', 'train it first'))
    if key == 'mask_dir':
        dataset = Path(config.filename).stem.split('_')[0]
        return f'python tools/test.py configs/fmwsss/{dataset}_sam_masks.py'
    if path.endswith('partworld'):
        return f'python tools/partworld/make_dataset.py {path}'
    return 'put the data there, or set its variable (docs/voc_and_coco.md)'


def main(arguments: list[str]) -> None:
    """Print one line of JSON for each step."""
    sys.path.pop(0)  # the folder of this file
    steps: list[tuple[str, Callable[[], Rows]]]
    steps = [('torch', probe_torch), ('package', probe_package)]
    steps += [('config', partial(probe_config, name)) for name in arguments]
    for step, probe in steps:
        print(json.dumps({'step': step, 'findings': probe()}), flush=True)
    for name in arguments:
        record = {'step': 'needs', 'needs': probe_needs(name)}
        print(json.dumps(record), flush=True)


if __name__ == '__main__':
    main(sys.argv[1:])
