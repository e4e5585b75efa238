# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
import json

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmfmwsss.models.masks import SAMMaskGenerator
from mmfmwsss.structures import SAMMasks
from mmfmwsss.structures.sam_mask_folder import SAMMaskFolder
from mmfmwsss.utils import UserInputError


class Brightness:
    """Whole: where red is high; part: where blue is high."""

    def __init__(self, threshold=100):
        self.threshold = threshold
        self.images = []
        self.broken = False

    def settings(self):
        return dict(threshold=self.threshold)

    def __call__(self, image):
        self.images.append(image)
        if self.broken:
            raise KeyboardInterrupt
        bright = torch.from_numpy(image > self.threshold)
        return SAMMasks(
            masks=torch.stack([bright[..., 0], bright[..., 2]]),
            levels=torch.tensor([2, 1]),
            predicted_iou=torch.ones(2),
            stability_score=torch.ones(2),
        )


def packed(names, size=(6, 8)):
    """A batch as mmseg's loader hands it over."""
    generator = torch.Generator().manual_seed(0)
    inputs, samples = [], []
    for name in names:
        inputs.append(
            torch.randint(256, (3, *size), generator=generator).to(torch.uint8)
        )
        metainfo = dict(img_path=f'/data/{name}.jpg')
        samples.append(SegDataSample(metainfo=metainfo))
    return dict(inputs=inputs, data_samples=samples)


def reports(samples):
    return [sample.metainfo['sam_masks_report'] for sample in samples]


def statuses(samples):
    return [report['status'] for report in reports(samples)]


def test_writes_the_masks_of_the_rgb_image(tmp_path):
    source = Brightness()
    model = SAMMaskGenerator(source, tmp_path)
    batch = packed(['a', 'b'])
    expected = batch['inputs'][1]
    result = model.test_step(batch)
    assert reports(result)[1] == dict(
        name='b', status='done', reason='', level_counts=[0, 1, 1]
    )
    masks = SAMMasks.load(tmp_path / 'b.json')
    assert torch.equal(masks.masks, expected[[2, 0]] > 100)
    assert source.images[1].shape == (6, 8, 3)
    assert source.images[1].dtype == np.uint8
    assert json.loads((tmp_path / 'b.json').read_text())['settings']


def test_takes_up_where_it_was_cut_off(tmp_path):
    source = Brightness()
    model = SAMMaskGenerator(source, tmp_path)
    model.test_step(packed(['a']))
    before = (tmp_path / 'a.json').stat().st_mtime_ns
    source.broken = True
    with pytest.raises(KeyboardInterrupt):
        model.test_step(packed(['a', 'b', 'c']))
    assert [file.name for file in tmp_path.iterdir()] == ['a.json']
    source.broken = False
    again = SAMMaskGenerator(source, tmp_path)
    result = again.test_step(packed(['a', 'b', 'c']))
    assert statuses(result) == ['skipped', 'done', 'done']
    assert reports(result)[0]['level_counts'] == [0, 1, 1]
    assert (tmp_path / 'a.json').stat().st_mtime_ns == before


def test_other_settings_and_damaged_files_are_made_again(tmp_path):
    SAMMaskGenerator(Brightness(), tmp_path).test_step(packed(['a', 'b']))
    (tmp_path / 'b.json').write_text('{"format": "mmfmw')
    result = SAMMaskGenerator(Brightness(), tmp_path).test_step(
        packed(['a', 'b'])
    )
    assert statuses(result) == ['skipped', 'done']
    result = SAMMaskGenerator(Brightness(50), tmp_path).test_step(
        packed(['a', 'b'])
    )
    assert statuses(result) == ['done', 'done']


def test_unreadable_images_fail_without_a_file(tmp_path):
    batch = packed(['a', 'b'])
    batch['data_samples'][0].set_metainfo(dict(failure='truncated JPEG'))
    result = SAMMaskGenerator(Brightness(), tmp_path).test_step(batch)
    assert statuses(result) == ['failed', 'done']
    assert reports(result)[0]['reason'] == 'truncated JPEG'
    assert [file.name for file in tmp_path.iterdir()] == ['b.json']


def test_what_the_source_refuses_fails(tmp_path):
    class Refuses(Brightness):
        def __call__(self, image):
            raise UserInputError('too small')

    result = SAMMaskGenerator(Refuses(), tmp_path).test_step(packed(['a']))
    assert reports(result)[0]['status'] == 'failed'
    assert reports(result)[0]['reason'] == 'too small'


@pytest.mark.parametrize(
    'error',
    [
        MemoryError('Unable to allocate 9.00 GiB for an array'),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_an_image_that_memory_does_not_suffice_for_fails_alone(
    tmp_path, error
):
    class Greedy(Brightness):
        def __call__(self, image):
            if not self.images:
                self.images.append(image)
                raise error
            return super().__call__(image)

    model = SAMMaskGenerator(Greedy(), tmp_path)
    result = model.test_step(packed(['a', 'b']))
    assert statuses(result) == ['failed', 'done']
    assert reports(result)[0]['reason'] == 'out of memory at (6, 8)'
    assert [file.name for file in tmp_path.iterdir()] == ['b.json']


def test_built_from_a_config_with_another_source(tmp_path):
    model = MODELS.build(
        dict(
            type='SAMMaskGenerator',
            source=dict(type='FelzenszwalbSuperpixels', min_size=4),
            output_dir=str(tmp_path),
        )
    )
    assert statuses(model.test_step(packed(['a']))) == ['done']
    # DistributedDataParallel insists on a parameter with a gradient.
    assert any(p.requires_grad for p in model.parameters())


def test_only_predicts(tmp_path):
    model = SAMMaskGenerator(Brightness(), tmp_path)
    with pytest.raises(ValueError, match="must be 'predict', got 'loss'"):
        model(**packed(['a']), mode='loss')


def test_normalised_images_are_refused(tmp_path):
    model = SAMMaskGenerator(Brightness(), tmp_path)
    batch = packed(['a'])
    batch['inputs'][0] = batch['inputs'][0].float()
    with pytest.raises(UserInputError, match='Remove `data_preprocessor`'):
        model.test_step(batch)


def test_another_picture_of_the_name_is_made_again(tmp_path):
    model = SAMMaskGenerator(Brightness(), tmp_path)
    batch = packed(['a', 'b'])
    model.test_step(batch)
    batch = packed(['a', 'b'])
    batch['inputs'][1][0, 0, 0] ^= 255
    assert statuses(model.test_step(batch)) == ['skipped', 'done']
    cropped = packed(['a', 'b'])
    cropped['inputs'][0] = cropped['inputs'][0][:, :5]
    assert statuses(model.test_step(cropped)) == ['done', 'done']
    assert SAMMasks.load(tmp_path / 'a.json').size == (5, 8)


def test_another_file_of_the_name_is_made_again(tmp_path):
    model = SAMMaskGenerator(Brightness(), tmp_path / 'out')
    for content, expected in (
        (b'1', 'done'),
        (b'1', 'skipped'),
        (b'2', 'done'),
    ):
        (tmp_path / 'a.jpg').write_bytes(content)
        batch = packed(['a'])
        path = str(tmp_path / 'a.jpg')
        batch['data_samples'][0].set_metainfo(dict(img_path=path))
        assert statuses(model.test_step(batch)) == [expected]


def test_edited_files_and_those_of_earlier_releases_are_made_again(tmp_path):
    model = SAMMaskGenerator(Brightness(), tmp_path)
    model.test_step(packed(['a', 'b', 'c']))
    whole = [(tmp_path / f'{name}.json').read_bytes() for name in 'abc']
    for name, edit in (
        ('a', lambda content: content['masks'][0].update(area=3)),
        ('b', lambda content: content.pop('source')),
    ):
        content = json.loads((tmp_path / f'{name}.json').read_text())
        edit(content)
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    result = model.test_step(packed(['a', 'b', 'c']))
    assert statuses(result) == ['done', 'done', 'skipped']
    again = [(tmp_path / f'{name}.json').read_bytes() for name in 'abc']
    assert again == whole


def test_its_masks_are_of_the_picture_that_they_are_loaded_for(tmp_path):
    photo = tmp_path / 'a.jpg'
    photo.write_bytes(b'1')
    batch = packed(['a'])
    batch['data_samples'][0].set_metainfo(dict(img_path=str(photo)))
    SAMMaskGenerator(Brightness(), tmp_path).test_step(batch)
    folder = SAMMaskFolder(tmp_path)
    assert folder.read('a', (6, 8), str(photo)).size == (6, 8)
    photo.write_bytes(b'2')
    with pytest.raises(UserInputError, match='replaced since'):
        folder.read('a', (6, 8), str(photo))
