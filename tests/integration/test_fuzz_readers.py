# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Every reader of a stranger's file: a valid result, or our own error.

Valid files are mutated, byte by byte and by pieces that hurt; hypothesis is
derandomised, so that a failure comes again. About 30 s a reader.
"""

import io
import json
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmfmwsss.datasets import (
    get_class_prompts,
    read_image_labels,
    read_image_list,
    read_voc_xml,
)
from mmfmwsss.models.masks import masks_from_folder, masks_from_json
from mmfmwsss.structures import SAMMasks, summarize_mask_file
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import read_label_png
from mmfmwsss.utils.photos import photo_size, read_rgb
from mmfmwsss.utils.safe_npy import load_npy
from mmfmwsss.utils.text_files import read_json, read_yaml
from mmfmwsss.workshop.cam_files import CAM_FORMATS, read_cams

CLASSES = ('cat', 'traffic light', 'dog')
PIECES = [
    *(b'[', b'{', b'"', b',', b';', b'\t', b'\n', b'\0', b'\xff', b'\xff\xd9'),
    *(b'NaN', b'Infinity', b'-1', b'1e999', b'9' * 30, b'null', b'true'),
    *(
        b'\xff\xda',
        b'\xff\xd8',
        b'IEND',
        b'IDAT',
        b'ftyp',
        b'\x7f\xff\xff\xff',
    ),
    *(
        b'<!DOCTYPE',
        b'&x;',
        b'<object>',
        b'!!python/name:os.system ',
        b'&a ',
        b'*a',
    ),
    *(
        b'.',
        b'R',
        b'b',
        b'\x85',
        b'\x93',
        b'cos\nsystem\n',
        b'r\xff\xff\xff\x7f',
    ),
    *(b'\x8e' + b'\xff' * 8, b'B\xff\xff\xff\x7f', b'|O', b'(1000000000000,)'),
]


@st.composite
def mutated(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """A sample with a few changes, or bytes of any kind."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            del data[place:]
        elif kind == 1:
            data[place:place] = draw(st.sampled_from(PIECES))
        elif kind == 2:
            data[place : place + draw(st.integers(0, 9))] = b''
        elif kind == 3:
            other = draw(st.sampled_from(samples))
            start = draw(st.integers(0, len(other)))
            data[place:] = other[start:]
        else:
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(data)


def picture(kind: str, mode: str = 'RGB', **options: Any) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (13, 17, 3))
    buffer = io.BytesIO()
    image = Image.fromarray(pixels.astype(np.uint8)).convert(mode)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def npy(content: Any, protocol: int = 4) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, content, allow_pickle=True)
    if isinstance(content, dict):
        wrapped = np.empty((), object)
        wrapped[()] = content
        head = buffer.getvalue().partition(b'\n')[0] + b'\n'
        return head + pickle.dumps(wrapped, protocol=protocol)
    return buffer.getvalue()


def mask_file() -> bytes:
    generator = torch.Generator().manual_seed(0)
    masks = SAMMasks(
        torch.rand(3, 9, 11, generator=generator) > 0.5,
        torch.tensor([0, 1, 2]),
        torch.rand(3, generator=generator),
        torch.rand(3, generator=generator),
    )
    with tempfile.TemporaryDirectory() as folder:
        masks.save(Path(folder, 'a.json'))
        return Path(folder, 'a.json').read_bytes()


def text(*samples: str) -> list[bytes]:
    return [sample.encode() for sample in samples]


def folder_of_masks(path: Path) -> SAMMasks:
    (path.parent / '0.png').write_bytes(picture('PNG', 'L'))
    return masks_from_folder(path.parent)


def both(path: Path) -> Any:
    read_rgb(path)
    return photo_size(path)


def cams(path: Path) -> list[Any]:
    """In every format that takes the file; the error if none does."""
    found: list[Any] = []
    for name in CAM_FORMATS:
        try:
            found.append(read_cams(path, name))
        except UserInputError as error:
            last = error
    if not found:
        raise last
    return found


CAMS = np.random.default_rng(0).random((2, 3, 4), np.float32)
CAM_FILES = [
    npy({1: CAMS[0], 3: CAMS[1]}),
    npy({'keys': np.array([1, 3]), 'high_res': CAMS}),
    npy({'keys': np.array([1, 3]), 'attn_highres': CAMS}),
]
RECORD = {'size': [3, 4], 'counts': [2, 3, 7]}
COCO = {
    'images': [{'id': 1, 'file_name': 'a'}],
    'categories': [{'id': 1, 'name': 'dog'}],
    'annotations': [{'image_id': 1, 'category_id': 1}],
}
NPY = [
    npy(CAMS),
    npy(CAMS > 0.5),
    *(npy({'keys': np.array([0, 2]), 'cam': CAMS}, p) for p in (0, 2, 4, 5)),
    npy({1: CAMS[0], np.int64(3): CAMS[1]}),
    npy({'keys': torch.tensor([1, 5]), 'high_res': torch.rand(2, 3, 4)}),
]
READERS: dict[str, tuple[str, Callable[[Path], Any], list[bytes]]] = {
    'npy': ('a.npy', load_npy, NPY),
    'cams': ('a.npy', cams, CAM_FILES),
    'mask file': ('a.json', SAMMasks.load, [mask_file()]),
    'mask summary': ('a.json', summarize_mask_file, [mask_file()]),
    'mask records': (
        'a.json',
        masks_from_json,
        text(
            json.dumps([{'segmentation': RECORD, 'area': 3, 'level': 1}]),
            json.dumps(
                {
                    'image': {'height': 3, 'width': 4},
                    'annotations': [
                        {'segmentation': {'size': [3, 4], 'counts': '237'}}
                    ],
                }
            ),
            json.dumps([{'segmentation': [[1, 0], [0, 1]]}]),
        ),
    ),
    'mask folder': (
        'metadata.csv',
        folder_of_masks,
        text('id,area,predicted_iou,stability_score\n0,221,0.9,0.8\n'),
    ),
    'photo': (
        'a.jpg',
        both,
        [
            picture('JPEG'),
            picture('JPEG', progressive=True),
            picture('JPEG', 'CMYK'),
            picture('JPEG') + b'\0\0\0\x18ftypmp42' + bytes(20),
            picture('PNG'),
            picture('PNG', 'P'),
            picture('PNG', 'RGBA'),
            picture('WEBP'),
            picture('GIF', 'P'),
            picture('BMP'),
            picture('TIFF'),
            picture('TIFF', compression='tiff_lzw'),
            picture('PPM'),
        ],
    ),
    'label map': (
        'a.png',
        read_label_png,
        [
            picture('PNG', 'P'),
            picture('PNG', 'L'),
            picture('PNG', '1'),
            picture('TIFF', 'L'),
            picture('GIF', 'P'),
            picture('PNG', 'I;16'),
        ],
    ),
    'label table': (
        'a.csv',
        lambda path: read_image_labels(path, CLASSES),
        text(
            'image,label\na,cat,dog\nb,"cat, dog"\n',
            'sep=;\na;cat;dog\n',
            'image,cat,dog\na,1,0\nb,0,1\n',
        ),
    ),
    'label text': (
        'a.txt',
        lambda path: read_image_labels(path, CLASSES),
        text('a cat dog\n"b c" traffic light\n', 'a\tcat\tdog\n'),
    ),
    'label JSON': (
        'a.json',
        lambda path: read_image_labels(path, CLASSES),
        text(
            '{"a": ["cat", "dog"], "b": []}',
            '[{"image": "a", "labels": ["dog"]}]',
            json.dumps(COCO),
        ),
    ),
    'annotation': (
        'a.xml',
        lambda path: read_voc_xml(path, CLASSES),
        text(
            '<?xml version="1.0"?><annotation><object><name>dog</name>'
            '<part><name>head</name></part></object></annotation>'
        ),
    ),
    'image list': (
        'a.txt',
        read_image_list,
        text('a\nb c\n/JPEGImages/x.jpg /SegmentationClass/x.png\n'),
    ),
    'class prompts': (
        'a.yaml',
        lambda path: get_class_prompts(str(path)),
        text(
            'classes:\n  cat: [kitten]\n  mug: cup\n  dog:\n'
            'background: [table, wall]\n',
            '{classes: [cat, dog], background: &a [wall]}',
        ),
    ),
    'YAML': (
        'a.yaml',
        read_yaml,
        text(
            'a: &x [1, 2.5, {b: c}]\nd: *x\ne: {<<: {f: 1}}\ng: 2001-01-01\n',
            '- !!set {a, b}\n- !!binary aGFsbG8=\n- !!omap [a: 1]\n- 0x1F\n'
            '- 1:30\n- .nan\n- ~\n',
        ),
    ),
    'JSON': ('a.json', read_json, text('{"a": [1, 2.5e3, null, "\\u00e4"]}')),
}


# So many take about half a minute on one slow core.
EXAMPLES = {'cams': 4000, 'photo': 6000}


@pytest.mark.slow
@pytest.mark.parametrize('reader', READERS)
def test_mutated_files_give_a_result_or_our_own_error(tmp_path, reader):
    name, read, samples = READERS[reader]
    path = tmp_path / name
    outcomes = {'read': 0, 'refused': 0}

    @settings(
        max_examples=EXAMPLES.get(reader, 6000),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=mutated(samples))
    def tries(data: bytes) -> None:
        path.write_bytes(data)
        try:
            read(path)
        except UserInputError:
            outcomes['refused'] += 1
        else:
            outcomes['read'] += 1

    tries()
    assert min(outcomes.values()) > 0, outcomes


def test_the_samples_are_valid(tmp_path):
    """So that the mutations begin with something."""
    for reader, (name, read, samples) in READERS.items():
        for number, sample in enumerate(samples):
            (tmp_path / name).write_bytes(sample)
            try:
                read(tmp_path / name)
            except UserInputError as error:
                pytest.fail(f'{reader} {number}: {error}')
