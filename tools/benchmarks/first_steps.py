# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Time the first steps of three people, and count what they have to type.

  photo  a photo and its tag to an overlay
  own    a folder of 12 photos with tags to a trained network
  mmseg  a trained network of mmseg to SAMS on its output

The photos are three of scikit-image, each in four views; the network is
trained for two epochs, on the models for a laptop. Installation and weights
come before: `make setup`, and MobileSAM's file in weights/ or $MOBILE_SAM.
The last path takes the network of the second as its own. Prints a table with
wall and CPU seconds; give it an idle machine.
"""

import argparse
import os
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = r"""examples:
  python tools/benchmarks/first_steps.py
  python tools/benchmarks/first_steps.py --out build/first_steps --only photo
  python tools/benchmarks/first_steps.py --dry-run
"""
PATHS = ('photo', 'own', 'mmseg')
# Photos of scikit-image and the tag of each.
PHOTOS = {
    'chelsea.png': 'cat',
    'coffee.png': 'cup',
    'motorcycle_left.png': 'motorcycle',
}
VIEWS = 4  # of each photo: as it is, mirrored, left part, right part
CLASSES = """classes: [cat, cup, motorcycle]
background: [table, quilt, building]
"""
REFINED = """_base_ = '{network}'
custom_imports = dict(imports=['mmfmwsss'], allow_failed_imports=False)
model = dict(
    _delete_=True,
    type='RefinedSegmentor',
    segmentor=_base_.model,
    refiner=dict(type='SAMS'),
)
test_pipeline = [
    *_base_.test_pipeline[:-1],
    dict(type='LoadSAMMasks', mask_dir='{masks}', follow_image=False),
    dict(type='PackWSSSInputs'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
"""


@dataclass(frozen=True)
class Steps:
    """Hold what one person types.

    Attributes:
        commands (tuple[str, ...]): For the shell, after those of the
            installation.
        variables (dict[str, str]): Exported before, in one line.
        files (dict[Path, str]): Written in an editor.
    """

    commands: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """Count the lines typed: commands, one export, lines of files."""
        written = sum(len(text.splitlines()) for text in self.files.values())
        return len(self.commands) + bool(self.variables) + written


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=ROOT / 'build' / 'first_steps',
        help='folder of photos and results, new (default: build/first_steps)',
    )
    parser.add_argument(
        '--only',
        nargs='+',
        choices=PATHS,
        default=PATHS,
        help='some of the paths; mmseg needs the results of own in --out',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print what is typed; run nothing',
    )
    return parser.parse_args(argv)


def first_steps(name: str, out: Path) -> Steps:
    """List what a person types.

    Args:
        name (str): One of ``PATHS``.
        out (Path): Folder of photos and results.
    """
    photos, work = out / 'photos', out / 'own'
    if name == 'photo':
        photo = photos / 'images' / 'chelsea_0.png'
        command = f'python tools/demo.py {photo} --tags cat --out {out}/demo'
        return Steps((command,))
    variables = dict(CUSTOM_MODELS='photo', CUSTOM_ROOT=str(photos))
    epochs = dict(CUSTOM_PROMPT_EPOCHS='3', CUSTOM_NETWORK_EPOCHS='2')
    if name == 'own':
        return Steps(
            ('python tools/run_pipeline.py custom',),
            variables | epochs | dict(CUSTOM_WORK=str(work)),
            {
                photos / 'image_labels.csv': label_file(),
                photos / 'classes.yaml': CLASSES,
            },
        )
    # Wrap the network of the second path, with masks of its own
    mine = out / 'mmseg'
    config = mine / 'my_network_sams.py'
    network = work / 'predict' / 'custom_predict.py'
    text = REFINED.format(network=network, masks=mine / 'sam_masks')
    return Steps(
        (
            'python tools/test.py configs/fmwsss/custom_sam_masks.py',
            f'python tools/test.py {config} '
            f'{work}/deeplabv3plus/epoch_2.pth --work-dir {mine}/refined',
        ),
        variables | dict(CUSTOM_WORK=str(mine)),
        {config: text},
    )


def label_file() -> str:
    """Write the tags of all views, a line each."""
    rows = [
        f'{Path(name).stem}_{view}.png,{tag}'
        for name, tag in PHOTOS.items()
        for view in range(VIEWS)
    ]
    return '\n'.join(['image,tags', *rows]) + '\n'


def write_photos(folder: Path) -> None:
    """Write four views of each photo of scikit-image."""
    from PIL import Image, ImageOps
    from skimage.data import data_dir

    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        photo = Image.open(Path(data_dir) / name).convert('RGB')
        width, height = photo.size
        views = (
            photo,
            ImageOps.mirror(photo),
            photo.crop((0, 0, width * 3 // 4, height)),
            photo.crop((width // 4, 0, width, height)),
        )
        for number, view in enumerate(views):
            view.save(folder / f'{Path(name).stem}_{number}.png')


def run_steps(steps: Steps) -> tuple[float, float]:
    """Type it all; give wall and CPU seconds of the commands.

    Raises:
        SystemExit: If a command fails.
    """
    for path, text in steps.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
    # Run the commands in the checkout, with this interpreter
    begin, before = time.perf_counter(), _cpu_of_children()
    for command in steps.commands:
        _, *words = shlex.split(command)
        result = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, 'PYTHONPATH': str(ROOT), **steps.variables},
            check=False,
        )
        if result.returncode:
            sys.exit(f'`{command}` ended with {result.returncode}.')
    return time.perf_counter() - begin, _cpu_of_children() - before


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def describe(steps: Steps) -> str:
    """Write what is typed, files first."""
    parts = [f'{path}:\n{text}' for path, text in steps.files.items()]
    if steps.variables:
        pairs = ' '.join(f'{k}={v}' for k, v in steps.variables.items())
        parts.append(f'export {pairs}')
    return '\n'.join([*parts, *steps.commands])


def table(rows: Sequence[tuple[str, Steps, float, float]]) -> str:
    """Write the Markdown table."""
    lines = [
        '| path | commands | lines typed | seconds | CPU seconds |',
        '| --- | --- | --- | --- | --- |',
    ]
    lines += [
        f'| {name} | {len(steps.commands)} | {steps.lines} | {wall:.0f} | '
        f'{cpu:.0f} |'
        for name, steps, wall, cpu in rows
    ]
    return '\n'.join(lines)


def main(argv: list[str] | None = None) -> int:
    """Walk the paths, and print the table."""
    args = parse_args(argv)
    out = args.out.absolute()
    walks = {name: first_steps(name, out) for name in args.only}
    # Only show what is typed
    if args.dry_run:
        for name, steps in walks.items():
            print(f'# {name}\n{describe(steps)}\n')
        return 0
    write_photos(out / 'photos' / 'images')
    load = os.getloadavg()[0]
    rows = [(name, steps, *run_steps(steps)) for name, steps in walks.items()]
    # Say on which machine it was
    print(table(rows))
    print(f'{os.cpu_count()} processors, load {load:.1f} before')
    return 0


if __name__ == '__main__':
    sys.exit(main())
