# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The pictures of ``--show-dir``, for mmseg's ``SegVisualizationHook``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
from mmengine.dist import master_only
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer
from numpy.typing import NDArray

from ..utils.image_names import image_name_of
from .label_pictures import paint_named_labels
from .painting import paint_labels
from .texts import write_text

__all__ = ['NamedLabelVisualizer', 'beside']

Image = NDArray[np.uint8]  # RGB, (H, W, 3)

_HEAD = 24  # pixels above pictures with a heading


@VISUALIZERS.register_module()
class NamedLabelVisualizer(SegLocalVisualizer):
    """Paint label maps over their photos, with names, shares and a legend.

    The ground truth, if there is one, lies to the left of the prediction. A
    run that predicts seeds instead of ``pred_sem_seg`` is painted too. Without
    a folder or a window, as mmseg's inferencer asks for it, a picture keeps
    the size of the photo and has no legend.

    Args:
        name (str): Of the instance.
        show_dir (str, optional): Folder for one picture an image, under the
            name of the image. Default: the backends get them.
        alpha (float): Opacity of the colours, 0 to 1.
        **kwargs: Those of mmseg's ``SegLocalVisualizer``.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        show_dir: str | None = None,
        alpha: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, alpha=alpha, **kwargs)
        self.show_dir = show_dir

    @master_only
    def add_datasample(
        self,
        name: str,
        image: Image,
        data_sample: SegDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        step: int = 0,
        with_labels: bool | None = True,
        with_image: bool | None = False,
    ) -> None:
        """Paint an image and save or show it.

        Args:
            name (str): Title of the window, and name for the backends.
            image (ndarray): RGB, uint8, (H, W, 3).
            data_sample (SegDataSample, optional): With label maps.
            draw_gt (bool): Whether to paint the ground truth.
            draw_pred (bool): Whether to paint the prediction.
            show (bool): Whether to open a window.
            wait_time (float): Seconds that the window is open.
            out_file (str, optional): File instead of the backends.
            step (int): For the backends.
            with_labels (bool): Whether to write names and a legend.
            with_image (bool): Whether to put the bare photo to the left.
        """
        # Paint what there is, side by side
        panels = [('image', image)] if with_image else []
        if data_sample is not None:
            panels += [
                (title, self._painted(image, labels, bool(with_labels), show))
                for title, labels in _label_maps(
                    data_sample, draw_gt, draw_pred
                )
            ]
        titles, pictures = zip(*panels or [('image', image)], strict=True)
        drawn = beside(pictures, titles)
        self.set_image(drawn)
        # Show it, and save it under the name of the image
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is None and self.show_dir and data_sample is not None:
            out_file = str(
                Path(self.show_dir)
                / f'{image_name_of(data_sample.metainfo)}.png'
            )
        if out_file is not None:
            mmcv.imwrite(mmcv.rgb2bgr(drawn), out_file)
        else:
            self.add_image(name, drawn, step)

    def _painted(
        self,
        image: Image,
        labels: NDArray[np.integer],
        named: bool,
        show: bool,
    ) -> Image:
        """Paint one label map over the photo."""
        # Follow a label map of another size
        if labels.shape != image.shape[:2]:
            size = (labels.shape[1], labels.shape[0])
            resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            image = np.asarray(resized, np.uint8)
        palette = self.dataset_meta['palette']
        if not named:
            return paint_labels(image, labels, palette, self.alpha)
        classes = self.dataset_meta['classes']
        # Keep the photo's size where a program asks for the picture
        legend = show or self.show_dir is not None
        return paint_named_labels(
            image, labels, classes, palette, self.alpha, legend
        )


def _label_maps(
    sample: SegDataSample, draw_gt: bool, draw_pred: bool
) -> list[tuple[str, NDArray[np.integer]]]:
    """Collect the label maps of a sample under their headings."""
    # List what is asked for, seeds where there is no prediction
    fields = ['gt_sem_seg'] if draw_gt else []
    if draw_pred and 'pred_sem_seg' in sample:
        fields.append('pred_sem_seg')
    elif draw_pred:
        keys = list(sample.keys())
        fields += [key for key in keys if key.endswith('_seed')]
    titles = dict(gt_sem_seg='ground truth', pred_sem_seg='prediction')
    # Take the maps of those that are there
    return [
        (
            titles.get(field, field.replace('_', ' ')),
            np.asarray(sample.get(field).cpu().data)[0],
        )
        for field in fields
        if field in sample
    ]


def beside(pictures: Sequence[Image], titles: Sequence[str]) -> Image:
    """Put pictures side by side, each below its heading.

    Args:
        pictures (Sequence): RGB, uint8; one alone gets no heading.
        titles (Sequence[str]): As many.

    Returns:
        ndarray: RGB, uint8; lower pictures end in white.
    """
    if len(pictures) == 1:
        return pictures[0]
    height = max(len(picture) for picture in pictures) + _HEAD
    columns = []
    for picture, title in zip(pictures, titles, strict=True):
        column = np.full((height, picture.shape[1], 3), 255, np.uint8)
        write_text(column, title, (4, _HEAD - 8))
        column[_HEAD : _HEAD + len(picture)] = picture
        columns.append(column)
    return np.concatenate(columns, axis=1)
