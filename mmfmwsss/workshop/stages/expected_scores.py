# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Rows of a pipeline's summary, and the mIoU that somebody measured there."""

from dataclasses import dataclass

__all__ = ['EXPECTED', 'Score', 'seed_scores']

_PAPER = 'paper'
_CODE = "released code's README"
_TABLES = 'docs/tables/partworld, 3 seeds'


@dataclass(frozen=True)
class Score:
    """Describe a row of the summary.

    Attributes:
        key: Its key in summary.json.
        stage: The stage that measures it.
        metric: Key among the metrics of that stage.
        text: What is scored, for people.
        expected: mIoU that was measured before, percent; None where nobody
            measured.
        source: Who measured it.
    """

    key: str
    stage: str
    metric: str
    text: str
    expected: float | None = None
    source: str = ''


# Of (data set, key of a seed or stage of a network): mIoU and its source.
# VOC: Tables 1, 3 and 4 of the paper (train_aug; val, DeepLabV3+ multi-scale);
# COCO: its Table 8.
EXPECTED: dict[tuple[str, str], tuple[float, str]] = {
    ('partworld', 'cam'): (29.4, _TABLES),
    ('partworld', 'cam_caa'): (28.4, _TABLES),
    ('partworld', 'baseline_manual_prompt'): (36.8, _TABLES),
    ('partworld', 'coarse_seed'): (36.3, _TABLES),
    ('partworld', 'fine_seed'): (37.2, _TABLES),
    ('partworld', 'fine_seed_caa'): (32.6, _TABLES),
    ('partworld', 'deeplabv3plus_test'): (46.8, _TABLES),
    ('partworld', 'deeplabv3plus_sams'): (48.7, _TABLES),
    ('partworld', 'mask2former_test'): (29.8, _TABLES),
    ('voc', 'cam'): (60.7, _PAPER),
    ('voc', 'cam_caa'): (69.1, _PAPER),
    ('voc', 'coarse_seed'): (71.5, _PAPER),
    ('voc', 'fine_seed_no_caa'): (73.5, _PAPER),
    ('voc', 'fine_seed'): (74.2, _PAPER),
    ('voc', 'deeplabv3plus_test'): (75.9, _PAPER),
    ('voc', 'deeplabv3plus_sams'): (77.3, _PAPER),
    ('voc', 'mask2former_test'): (82.6, _PAPER),
    ('voc', 'mask2former_sams'): (82.2, _PAPER),
    ('voc_official', 'coarse_seed'): (71.5, _PAPER),
    ('voc_official', 'fine_seed'): (73.9, _CODE),
    ('voc_official', 'deeplabv3plus_official_test'): (75.9, _PAPER),
    ('voc_official', 'deeplabv3plus_official_sams'): (77.3, _PAPER),
    ('voc_official', 'mask2former_official_test'): (82.6, _PAPER),
    ('voc_official', 'mask2former_official_sams'): (82.2, _PAPER),
    ('coco', 'fine_seed'): (47.5, _CODE),
    ('coco', 'mask2former_test'): (55.4, _PAPER),
}

_TEXTS = {
    'cam': 'CAM, argmax',
    'cam_caa': 'CAM + CAA, argmax',
    'baseline_manual_prompt': 'manual prompt, fine-seed route',
    'coarse_seed': 'coarse seed (classification prompts)',
    'fine_seed': 'fine seed (segmentation prompts)',
    'fine_seed_caa': 'fine seed with CAA before SAMS',
    'fine_seed_no_caa': 'fine seed without CAA before SAMS',
}
# Seeds that a data set scores in one stage, in the order of the rows.
_ROUTES = ('cam', 'cam_caa', 'coarse_seed', 'fine_seed_no_caa', 'fine_seed')
_KEYS = {
    'partworld': (
        'cam', 'cam_caa', 'baseline_manual_prompt', 'coarse_seed',
        'fine_seed', 'fine_seed_caa',
    ),
    'voc_tiny': ('fine_seed',),
    'voc_official': ('coarse_seed', 'fine_seed'),
}  # fmt: skip
# Rows that another stage measures, or under another name.
_MEASURED_BY = {
    ('partworld', 'baseline_manual_prompt'): (
        'manual_prompt',
        'fine_seed/mIoU',
    ),
    ('voc_official', 'coarse_seed'): ('seed_official_cls', 'coarse_seed/mIoU'),
    ('voc_official', 'fine_seed'): ('seed_official_seg', 'fine_seed/mIoU'),
}


def seed_scores(data: str, stage: str) -> list[Score]:
    """List the rows of CAMs and seeds.

    Args:
        data (str): Name of the data set.
        stage (str): The stage that measures what no other one does.

    Returns:
        list[Score]: One a way from CAMs to seeds.
    """
    rows = []
    for key in _KEYS.get(data, _ROUTES):
        measured = _MEASURED_BY.get((data, key), (stage, f'{key}/mIoU'))
        expected = EXPECTED.get((data, key), ())
        rows.append(Score(key, *measured, _TEXTS[key], *expected))
    return rows
