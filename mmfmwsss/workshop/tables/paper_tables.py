# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Tables 1 to 5 of the paper: rows, their figures, what measures them."""

from dataclasses import dataclass

__all__ = ['PAPER_TABLES', 'PaperTable', 'Row']


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        label: As in the paper.
        paper: mIoU that the paper gives, percent; None where a row is ours.
        stage: Name of the run that measures it.
        metric: Key among the metrics of that run.
        group: Only rows of one group are compared with each other.
    """

    label: str
    paper: float | None
    stage: str
    metric: str
    group: str = ''


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        number: Its number.
        title: What it compares.
        split: What the paper's figures were scored on.
        rows: Its rows, in the paper's order.
    """

    number: int
    title: str
    split: str
    rows: tuple[Row, ...]


_TRAINAUG = 'VOC 2012 train_aug'
_VAL = 'VOC 2012 val'
_FINE = ('seeds', 'fine_seed/mIoU')
_COARSE = ('seeds', 'coarse_seed/mIoU')

PAPER_TABLES: dict[int, PaperTable] = {
    table.number: table
    for table in (
        PaperTable(
            1,
            'prompts and post-processing of the seeds',
            _TRAINAUG,
            (
                Row(
                    'CLIP-ES: manual prompts, CRF',
                    68.7,
                    'clip_es',
                    'manual_crf/mIoU',
                ),
                Row(
                    'M0: Cls. prompts, CRF',
                    68.2,
                    'seeds',
                    'classification_crf/mIoU',
                ),
                Row('M1: Cls. prompts, SAMS', 71.5, *_COARSE),
                Row(
                    'M2: Cls. and Seg. prompts, CRF',
                    71.6,
                    'seeds',
                    'segmentation_crf/mIoU',
                ),
                Row('M3: Cls. and Seg. prompts, SAMS', 74.2, *_FINE),
                Row(
                    'manual prompts, SAMS',
                    None,
                    'clip_es',
                    'manual_sams/mIoU',
                ),
            ),
        ),
        PaperTable(
            2,
            'design of the segmentation prompts',
            _TRAINAUG,
            (
                Row(
                    'Unified Context',
                    72.6,
                    'unified_context_test',
                    'fine_seed/mIoU',
                ),
                Row(
                    'CSC + Append + w/ bg.',
                    73.3,
                    'append_name_test',
                    'fine_seed/mIoU',
                ),
                Row(
                    'CSC + Prepend + w/ bg.',
                    73.6,
                    'prepend_name_test',
                    'fine_seed/mIoU',
                ),
                Row(
                    'CSC + Prepend + w/o bg.',
                    74.2,
                    'nameless_background_test',
                    'fine_seed/mIoU',
                ),
            ),
        ),
        PaperTable(
            3,
            'post-processing of the final segmentation',
            _VAL,
            (
                Row(
                    'DeepLabV3+',
                    75.9,
                    'deeplabv3plus_test',
                    'mIoU',
                    'deeplabv3plus',
                ),
                Row(
                    'DeepLabV3+, CRF',
                    75.5,
                    'deeplabv3plus_crf',
                    'mIoU',
                    'deeplabv3plus',
                ),
                Row(
                    'DeepLabV3+, SAMS',
                    77.3,
                    'deeplabv3plus_sams',
                    'mIoU',
                    'deeplabv3plus',
                ),
                Row(
                    'Mask2Former',
                    82.6,
                    'mask2former_test',
                    'mIoU',
                    'mask2former',
                ),
                Row(
                    'Mask2Former, CRF',
                    81.4,
                    'mask2former_crf',
                    'mIoU',
                    'mask2former',
                ),
                Row(
                    'Mask2Former, SAMS',
                    82.2,
                    'mask2former_sams',
                    'mIoU',
                    'mask2former',
                ),
            ),
        ),
        PaperTable(
            4,
            'seeding: from CAMs to seeds',
            _TRAINAUG,
            (
                Row('Baseline', 60.7, 'seeds', 'cam/mIoU'),
                Row('+ CAA', 69.1, 'seeds', 'cam_caa/mIoU'),
                Row('+ Voting', 69.5, 'seeds', 'voting/mIoU'),
                Row('+ CAA + Voting', 72.3, 'seeds', 'voting_caa/mIoU'),
                Row('+ SAMS, plain SAM', 71.0, 'mask_settings', 'plain/mIoU'),
                Row(
                    '+ SAMS, More whole',
                    71.2,
                    'mask_settings',
                    'more_whole/mIoU',
                ),
                Row(
                    '+ SAMS, NMS Priority',
                    71.5,
                    'mask_settings',
                    'nms_priority/mIoU',
                ),
                Row(
                    '+ SAMS, More whole + NMS Priority',
                    72.0,
                    'mask_settings',
                    'no_filter/mIoU',
                ),
                Row(
                    '+ SAMS, More whole + NMS Priority + Filter',
                    73.5,
                    'seeds',
                    'sams/mIoU',
                ),
                Row('+ CAA + SAMS', 74.2, 'seeds', 'sams_caa/mIoU'),
            ),
        ),
        PaperTable(
            5,
            'losses',
            _TRAINAUG,
            (
                Row(
                    'L_BCE',
                    65.9,
                    'binary_cross_entropy_test',
                    'coarse_seed/mIoU',
                ),
                Row('L_MCL', 71.5, *_COARSE),
                Row(
                    'L_MCL + L_CE',
                    52.1,
                    'cross_entropy_test',
                    'fine_seed/mIoU',
                ),
                Row('L_MCL + L_CAL', 74.2, *_FINE),
            ),
        ),
    )
}
