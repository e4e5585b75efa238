# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""A data set with the usual defects gives one clear report."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmfmwsss.structures import SAMMasks
from mmfmwsss.utils import UserInputError
from mmfmwsss.utils.palette_png import write_palette_png

PATH = Path(__file__).parents[2] / 'tools' / 'check_dataset.py'
SPEC = importlib.util.spec_from_file_location('check_dataset', PATH)
tool = sys.modules['check_dataset'] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)

H, W = 24, 36
XML = '<annotation>{}</annotation>'
TRAIN = [
    'good', 'rotated', 'grey', 'a space', 'colours', 'label21', 'blended',
    'size', 'no_object', 'odd_class', 'disagrees', 'empty', 'cut', 'no_xml',
    'no_image', 'no_mask', 'good',
]  # fmt: skip


def mask_of_two():
    """A bus (6) and a person (15)."""
    labels = np.zeros((H, W), np.uint8)
    labels[4:16, 4:16], labels[8:20, 20:32] = 6, 15
    return labels


def xml(*names):
    return XML.format(
        ''.join(f'<object><name>{n}</name></object>' for n in names)
    )


@pytest.fixture
def voc(tmp_path):
    """VOC's layout, with each of the defects that users report."""
    root = tmp_path / 'VOC2012'
    lists = root / 'ImageSets' / 'Segmentation'
    for folder in (lists, root / 'JPEGImages', root / 'Annotations'):
        folder.mkdir(parents=True)
    (lists / 'train.txt').write_text(''.join(f'{n}\n' for n in TRAIN))
    (lists / 'val.txt').write_text('good_val\ngrey\n')
    rng = np.random.default_rng(0)
    for name in {*TRAIN, 'good_val'} - {'no_image'}:
        photo = Image.fromarray(rng.integers(0, 256, (H, W, 3), np.uint8))
        exif = Image.Exif()
        if name == 'rotated':
            exif[0x0112] = 6
        if name == 'grey':
            photo = photo.convert('L')
        photo.save(root / f'JPEGImages/{name}.jpg', exif=exif)
        labels = mask_of_two()
        if name == 'label21':
            labels[:3, :3] = 21
        if name == 'size':
            labels = labels[1:]
        write_palette_png(root / f'SegmentationClass/{name}.png', labels)
        (root / f'Annotations/{name}.xml').write_text(xml('bus', 'person'))
    damage(root)
    return root


def damage(root):
    photos, masks = root / 'JPEGImages', root / 'SegmentationClass'
    (photos / 'empty.jpg').write_bytes(b'')
    (photos / 'cut.jpg').write_bytes((photos / 'cut.jpg').read_bytes()[:-60])
    with Image.open(masks / 'colours.png') as mask:
        mask.convert('RGB').save(masks / 'colours.png')
    smooth = Image.fromarray(mask_of_two()).resize(
        (99, 66), Image.Resampling.BICUBIC
    )
    smooth.resize((W, H), Image.Resampling.BILINEAR).save(
        masks / 'blended.png'
    )
    (masks / 'no_mask.png').unlink()
    (root / 'Annotations/no_xml.xml').unlink()
    (root / 'Annotations/no_object.xml').write_text(xml())
    (root / 'Annotations/odd_class.xml').write_text(xml('bus', 'tram'))
    (root / 'Annotations/disagrees.xml').write_text(xml('bus', 'cat'))


def check(capsys, *arguments):
    code = tool.main([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


def rows(report):
    """The table as {what: (effect, count, example)}."""
    found = {}
    for line in report.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if len(cells) == 5 and cells[0] not in ('', 'what'):
            found[cells[0]] = [cells[1], int(cells[2]), '']
            last = found[cells[0]]
        if len(cells) == 5 and cells[0] != 'what':
            last[2] += cells[3]
    return found


@pytest.mark.parametrize('workers', [1, 2])
def test_voc_with_all_defects(voc, capsys, workers):
    code, report = check(
        capsys, '--data-root', voc, '--layout', 'voc12', '--workers', workers
    )
    assert code == 1
    expected = {
        'repeated in a list': ('stops', 'good in'),
        'image missing': ('stops', 'no_image'),
        'image of zero bytes': ('stops', 'empty.jpg'),
        'image damaged': ('stops', 'cut.jpg'),
        'annotation missing': ('stops', 'no_xml.xml'),
        'annotation wrong': ('stops', "'tram'"),
        'image without label': ('stops', 'no_object.xml'),
        'mask missing': ('stops', 'no_mask.png'),
        'mask has colours': ('stops', 'colours.png is RGB, 3 colours'),
        'mask has unknown label': ('stops', 'label21.png: [21], expected up'),
        'mask looks blended': ('note', 'blended.png'),
        'mask and labels disagree': ('note', 'bus, person, but labelled'),
        'image rotated by EXIF': ('note', 'rotated.jpg (way 6)'),
        'image is grey-scale': ('note', 'grey.jpg'),
        'name has a space': ('note', 'a space'),
        'in train and in val': ('note', 'grey.jpg in train and val'),
        'mask has another size': ('stops', ''),
    }
    found = rows(report)
    assert set(found) == set(expected)
    for what, (effect, example) in expected.items():
        squeezed = found[what][2].replace(' ', '')
        assert found[what][0] == effect, what
        assert example.replace(' ', '') in squeezed, what
    # the rotated image's mask was not rotated; `size` is a row short
    assert found['mask has another size'][1] == 2
    assert found['mask and labels disagree'][1] == 2  # also without objects
    assert found['image is grey-scale'][1] == 1  # in two lists, once
    assert 'train: 15 images, ' in report
    assert '21 (' in report


def test_good_voc(voc, capsys):
    lists = voc / 'ImageSets' / 'Segmentation'
    (lists / 'train.txt').write_text('good\n')
    (lists / 'val.txt').write_text('good_val\n')
    code, report = check(capsys, '--data-root', voc, '--layout', 'voc12')
    assert code == 0
    assert 'nothing is wrong' in report
    assert 'val: 1 image, 1 with labels, 1 with masks' in report
    assert 'label values (masks that have them): 0 (2), 6 (2), 15 (2)' in (
        report
    )


def test_no_masks_are_no_error(voc, capsys):
    (voc / 'SegmentationClass').rename(voc / 'elsewhere')
    lists = voc / 'ImageSets' / 'Segmentation'
    for name in ('train', 'val'):
        (lists / f'{name}.txt').write_text('good\n')
    code, report = check(capsys, '--data-root', voc, '--layout', 'voc12')
    assert code == 0
    assert rows(report)['no ground truth'][1] == 2


def test_coco(tmp_path, capsys):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'train2014').mkdir()
    name = 'COCO_train2014_000000000009'
    Image.new('RGB', (W, H)).save(tmp_path / f'train2014/{name}.jpg')
    content = {
        'images': [
            {'id': 9, 'file_name': f'{name}.jpg'},
            {'id': 25, 'file_name': 'COCO_train2014_000000000025.jpg'},
        ],
        'categories': [{'id': 67, 'name': 'dining table'}],
        'annotations': [{'image_id': i, 'category_id': 67} for i in (9, 25)],
    }
    path = tmp_path / 'annotations' / 'instances_train2014.json'
    path.write_text(json.dumps(content))
    labels = np.full((H, W), 61, np.uint8)
    masks = tmp_path / 'SegmentationClass' / 'train2014'
    write_palette_png(masks / f'{name}.png', labels)
    code, report = check(capsys, '--data-root', tmp_path, '--layout=coco14')
    assert code == 1
    assert set(rows(report)) == {'image missing'}
    assert 'train: 1 image, 1 with labels, 1 with masks' in report


def test_folder_with_labels(voc, capsys, tmp_path):
    labels = tmp_path / 'VOC2012' / 'labels.csv'
    labels.write_text('good.jpg,bus,person\nno_object.jpg\ngrey,bus,tram\n')
    arguments = [
        '--data-root', voc, '--layout=folder', '--image-dir=JPEGImages',
        '--classes=voc12', '--label-file=labels.csv',
        '--ground-truth=SegmentationClass',
    ]  # fmt: skip
    code, report = check(capsys, *arguments)
    assert code == 1
    assert "'tram'" in rows(report)['label file wrong'][2]
    labels.write_text('good.jpg,bus,person\nno_object.jpg\ngrey,bus\n')
    code, report = check(capsys, *arguments)
    assert code == 1
    found = rows(report)
    assert 'no_object' in found.pop('image without label')[2]
    assert found.pop('mask and labels disagree')[1] == 2
    # the label file is the list here
    assert found.pop('image without a line')[1] == 13
    assert set(found) == {'image is grey-scale'}


@pytest.fixture
def config(voc, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(
        f"""
custom_imports = dict(imports=['mmfmwsss'])
train_dataloader = dict(dataset=dict(
    type='VOC12ImageLabelDataset', data_root='{voc}',
    image_list='ImageSets/Segmentation/train.txt',
    pipeline=[dict(type='LoadImageStrict'),
              dict(type='LoadSAMMasks', mask_dir='{tmp_path}/sam')]))
test_dataloader = dict(dataset=dict(
    type='VOC12SegDataset', data_root='{voc}', test_mode=True,
    ground_truth_dir='SegmentationClass', pipeline=[]))
"""
    )
    return path


def test_config(voc, config, tmp_path, capsys):
    lists = voc / 'ImageSets' / 'Segmentation'
    (lists / 'train.txt').write_text('good\ngrey\n')
    (lists / 'val.txt').write_text('good_val\nlabel21\n')
    (tmp_path / 'sam').mkdir()
    SAMMasks.empty((H, W)).save(tmp_path / 'sam' / 'grey.json')
    code, report = check(capsys, config)
    assert code == 1
    found = rows(report)
    assert set(found) == {
        'SAM masks missing', 'mask has unknown label', 'image is grey-scale'
    }  # fmt: skip
    assert 'good.json' in found['SAM masks missing'][2]
    assert 'train: 2 images, 2 with labels' in report


@pytest.mark.parametrize(
    'setting',
    ["metainfo=dict(classes=['background', 'bus'])", 'reduce_zero_label=True'],
    ids=['subset', 'zero'],
)
def test_a_run_of_some_classes_has_the_files_of_all(
    voc, tmp_path, capsys, setting
):
    path = tmp_path / 'subset.py'
    path.write_text(
        "custom_imports = dict(imports=['mmfmwsss'])\n"
        "train_dataloader = dict(dataset=dict(type='VOC12SegDataset', "
        f"data_root='{voc}', ground_truth_dir='SegmentationClass', {setting}))"
    )
    (voc / 'ImageSets/Segmentation/val.txt').write_text('good_val\n')
    code, report = check(capsys, str(path))
    assert code == 0, report


def test_wrong_commands(voc, tmp_path, config):
    for arguments, message in (
        ([], 'got neither or both'),
        ([str(config), '--data-root=x'], 'got neither or both'),
        (['--data-root=x'], 'needs --layout'),
        (['--data-root=x', '--layout=folder'], 'needs --classes'),
        ([f'--data-root={tmp_path}', '--layout=coco14'], 'no list'),
    ):
        with pytest.raises(UserInputError, match=message):
            tool.main(arguments)
    empty = tmp_path / 'empty.py'
    empty.write_text('train_dataloader = None\n')
    with pytest.raises(UserInputError, match='Use --data-root'):
        tool.main([str(empty)])


@pytest.fixture
def own(tmp_path):
    """Own photos in sub-folders, with what phones and unpacking leave."""
    photo = Image.new('RGB', (W, H), 'red')
    for name in ('kitchen/k1.jpg', 'garden/g1.JPG', 'garden/extra.jpg'):
        (tmp_path / 'images' / name).parent.mkdir(parents=True, exist_ok=True)
        photo.save(tmp_path / 'images' / name, format='JPEG')
    for name in ('._a.jpg', '.train_0050.x.png', 'k.jpg.tmp', '.x/h.jpg'):
        (tmp_path / 'images' / name).parent.mkdir(exist_ok=True)
        (tmp_path / 'images' / name).write_bytes(b'junk')
    labels = 'image,tags\nkitchen/k1.jpg,cat\ngarden\\g1.JPG,dog\n'
    (tmp_path / 'labels.csv').write_text(labels)
    (tmp_path / 'classes.yaml').write_text(
        'classes: [cat, dog, cow]\nbackground: [wall]\n'
    )
    return tmp_path


def own_photos(own, *more):
    return [
        '--data-root', own, '--layout=folder', '--image-dir=images',
        f'--classes={own / "classes.yaml"}', '--label-file=labels.csv', *more,
    ]  # fmt: skip


def test_sub_folders_and_counts_of_classes(own, capsys):
    code, report = check(capsys, *own_photos(own))
    found = rows(report)
    assert code == 0
    assert found.pop('image without a line')[2].endswith('garden/extra.jpg')
    assert set(found) == {'no ground truth'}
    assert 'images: 2 images, 2 with labels' in report
    assert 'images of each class, labelled: cat 1, dog 1' in report
    assert '  without an image: cow' in report


def test_labels_that_teach_nothing_stop_a_run(own, capsys):
    (own / 'labels.csv').write_text('image,tags\nkitchen/k1.jpg,\ng1.JPG\n')
    code, report = check(capsys, *own_photos(own))
    assert code == 1
    assert rows(report)['no image has a label'][:2] == ['stops', 1]
    assert report.rstrip().endswith('a run would stop: mend what `stops` it')


def test_the_last_line_says_whether_a_run_would_go_through(own, capsys):
    code, report = check(capsys, *own_photos(own))
    assert code == 0
    last = report.rstrip().splitlines()[-1]
    assert last == 'a run would go through: there are only notes'
    # Masks are counted where there are to be any
    assert 'with masks' not in report


def test_names_that_a_run_refuses(own, capsys):
    images = own / 'images'
    for name in ('garden/k1.jpg', 'k2.jpg', 'k2.png', 'K2.bmp', 'x.gif'):
        Image.new('RGB', (W, H)).save(images / name)
    (own / 'labels.csv').write_text(
        'k1,cat\n../labels.jpg,cat\nk2.jpg,cat\nk2.png,dog\nK2,dog\n'
        'garden/g1,cat\ngarden/g1.jpg,cat\nno.jpg,cat\n'
    )
    code, report = check(capsys, *own_photos(own))
    found = {what: tuple(row[:2]) for what, row in rows(report).items()}
    assert code == 1
    assert found == {
        'repeated in a list': ('stops', 1),
        'two images of one name': ('stops', 1),
        'name fits several images': ('stops', 1),
        'image outside of the folder': ('stops', 1),
        'image missing': ('stops', 1),
        'image without a line': ('note', 4),
        'image of another suffix': ('note', 1),
        'names differ in capitals only': ('note', 1),
        'no ground truth': ('note', 1),
    }


def test_lines_without_an_image_beside_a_list(own, capsys):
    (own / 'list.txt').write_text('kitchen/k1\n')
    with (own / 'labels.csv').open('a') as file:
        file.write('gone.jpg,cat\n')
    code, report = check(capsys, *own_photos(own, '--image-list=list.txt'))
    assert code == 0
    assert 'gone.jpg' in rows(report)['line without an image'][2]
    assert 'list: 1 image, 1 with labels' in report


def test_all_bad_files_up_to_a_number(own, capsys):
    names = [f'bad{i}.jpg' for i in range(5)]
    for name in names:
        (own / 'images' / name).write_bytes(b'no picture')
    rows_of_bad = ''.join(f'{name},cat\n' for name in names)
    (own / 'labels.csv').write_text(rows_of_bad)
    code, report = check(capsys, *own_photos(own))
    assert code == 1
    assert all(f'  {own / "images" / name}' in report for name in names)
    _, report = check(capsys, *own_photos(own, '--most=3'))
    assert 'image damaged (5):' in report
    assert f'  {own / "images" / names[3]}' not in report
    assert '  and 2 more' in report


def test_masks_of_0_and_255(own, capsys):
    labels = np.zeros((H, W), np.uint8)
    labels[5:20, 5:20] = 255
    for name in ('kitchen/k1', 'garden/g1'):
        write_palette_png(own / 'masks' / f'{name}.png', labels)
    code, report = check(capsys, *own_photos(own, '--ground-truth=masks'))
    assert code == 1
    effect, _, example = rows(report)['masks show no class']
    assert (effect, 'values [0, 255]' in example) == ('stops', True)
    labels[0, 0] = 1  # one pixel of a class, and 255 is VOC's border
    write_palette_png(own / 'masks' / 'garden' / 'g1.png', labels)
    _, report = check(capsys, *own_photos(own, '--ground-truth=masks'))
    assert 'masks show no class' not in report


def test_pictures_and_masks_that_would_be_too_much(own, capsys, monkeypatch):
    monkeypatch.setattr('PIL.Image.MAX_IMAGE_PIXELS', 1000)
    wide = Image.new('RGB', (300, 6))
    wide.save(own / 'images' / 'kitchen' / 'k1.jpg')
    monkeypatch.setattr('mmfmwsss.utils.limits.MAX_PIXELS', 2000)
    for name, size in (('kitchen/k1', (3000, 60)), ('garden/g1', (W, H))):
        path = own / 'masks' / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('L', size, 1).save(path)
    code, report = check(capsys, *own_photos(own, '--ground-truth=masks'))
    found = rows(report)
    assert code == 1
    assert '(300 x 6)' in found['image is very long'][2]
    assert 'k1.png' in found['mask damaged'][2]
