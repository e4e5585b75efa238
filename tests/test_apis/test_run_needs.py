# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What a run needs, by hand and against what was measured."""

from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict

from mmfmwsss.apis.run_needs import (
    add_up_memory,
    count_images,
    count_points,
    estimate_disk,
    estimate_memory,
)
from mmfmwsss.utils import read_config

PROCESS = 750 * 2**20
CONFIGS = Path(__file__).parents[2] / 'configs' / 'fmwsss'


def masks(**source: object) -> Config:
    return Config(
        dict(
            model=dict(source=dict(type='SAMEverything', **source)),
            test_dataloader=dict(dataset=dict(type='None')),
        )
    )


def test_terms_add_up() -> None:
    assert add_up_memory(0, 0, 0, 0) == PROCESS
    # Twice 40 bytes of weights, 3 images of 7, and 5 beside them
    assert add_up_memory(40, 2, 3, 7, 5) == PROCESS + 80 + 21 + 5


def test_masks_of_mobile_sam_by_hand() -> None:
    found = estimate_memory(masks(arch='vit_t'))
    # A point: 32 channels of 256 x 256, three masks of 375 x 500, 4 bytes
    point = 4 * (32 * 65536 + 3 * 187500)
    assert found is not None
    assert found.size == PROCESS + 2 * 40728226 + 64 * point
    # A run of animals_sam_masks.py had 1,671,896 KiB at its peak
    assert found.size == pytest.approx(1671896 * 1024, rel=0.15)


def test_masks_of_the_largest_sam_by_hand() -> None:
    found = estimate_memory(masks(arch='vit_h', points_per_batch=16))
    point = 4 * (32 * 65536 + 3 * 187500)
    # 16 heads of 4,096 x 4,096, three times
    attention = 3 * 4 * 16 * 4096**2
    assert found is not None
    assert found.size == PROCESS + 2 * 2564550879 + attention + 16 * point


def test_points_and_masks_on_disk() -> None:
    # 16 x 16 and no crops; 32 x 32 and four crops of 16 x 16
    assert count_points(dict(points_per_side=16, crop_n_layers=0)) == 256
    assert count_points({}) == 1024 + 4 * 256
    found = estimate_disk(masks(arch='vit_t'), images=3)
    # One mask for 20 points, 103 for 2,048, each of 410 bytes
    assert found is not None and found.size == 3 * 103 * 410
    assert estimate_disk(masks(arch='vit_t'), images=None) is None


def test_seeds_and_cams_on_disk() -> None:
    seed = dict(type='SeedMetric', output_dir='seeds')
    cams = dict(type='CAMWriter', output_dir='cams')
    config = Config(dict(model={}, test_evaluator=[seed, cams]))
    found = estimate_disk(config, images=10)
    # Two maps of float32 of 375 x 500 pixels, and a seed
    assert found is not None
    assert found.size == 10 * (2500 + 2 * 4 * 187500)
    config.test_evaluator = dict(type='SeedMetric', output_dir=None)
    assert estimate_disk(config, images=10) is None


def test_seeds_inherit_a_training_but_are_a_test() -> None:
    config = read_config(CONFIGS / 'voc_seed.py')
    assert config.train_dataloader
    found = estimate_memory(config)
    assert found is not None and ' 1 images' in found.terms
    assert 'prompts 0 MB' in found.terms
    disk = estimate_disk(config, images=10)
    assert disk is not None and disk.size == 25000


def test_prompts_of_the_photo_clip() -> None:
    """A run of animals_prompt.py had 1,308,016 KiB at its peak."""
    config = read_config(CONFIGS / 'animals_prompt.py')
    found = estimate_memory(config)
    assert found is not None
    assert found.size == pytest.approx(1308016 * 1024, rel=0.2)
    # Twice the images, and nothing else, grow with the batch
    small, large = (
        estimate_memory(
            Config(dict(config.to_dict(), train_dataloader=loader))
        )
        for loader in (
            dict(config.train_dataloader, batch_size=1),
            dict(config.train_dataloader, batch_size=3),
        )
    )
    assert small is not None and large is not None
    each = (large.size - small.size) // 2
    assert small.size + 15 * each == found.size


def test_a_network_that_cannot_be_built_is_not_estimated() -> None:
    conv = dict(type='mmfmwsss_needs_conv')
    config = Config(
        dict(
            model=dict(type='EncoderDecoder', backbone=conv),
            train_dataloader=dict(
                batch_size=4,
                dataset=dict(pipeline=[dict(type='A', crop_size=(8, 8))]),
            ),
            optim_wrapper=dict(optimizer=dict(type='SGD')),
            train_cfg=dict(max_iters=1),
        )
    )
    # Nothing of that name can be built: not estimated, and no error
    assert estimate_memory(config) is None
    config.model = ConfigDict(type='Other')
    assert estimate_memory(config) is None


@pytest.mark.slow
def test_the_network_of_voc_is_as_the_page_says() -> None:
    """2.6 GB an image; 0.75 of weights, gradients and momentum."""
    config = read_config(CONFIGS / 'voc_deeplabv3plus_r101.py')
    found = estimate_memory(config)
    assert found is not None
    assert found.size == pytest.approx(PROCESS + 42e9 + 0.75e9, rel=0.1)


def test_images_that_are_there_are_counted(
    partworld_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PARTWORLD_ROOT', str(partworld_root))
    config = read_config(CONFIGS / 'partworld_sam_masks.py')
    assert count_images(config) == 6 + 2  # of both splits
    config.test_dataloader.dataset.data_root = 'nowhere'
    assert count_images(config) is None
    assert count_images(Config({})) is None
