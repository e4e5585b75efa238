# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Why SAMS made this seed: masks by level, their scores, their decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..models.seeding import MaskDecisions, paint_order, top_mask
from ..structures import LEVEL_NAMES, SAMMasks
from .sheet import overlay_cam, paint_labels, picture_sheet

__all__ = [
    'MaskExplanation',
    'explain_masks',
    'explanation_picture',
    'explanation_table',
    'paint_decisions',
]

Image = NDArray[np.uint8]
_BACKGROUND_GREY = (150, 150, 150)


@dataclass(frozen=True)
class MaskExplanation:
    """What happened to one mask.

    Attributes:
        index (int): Number of the mask, as in the mask file.
        level (str): 'subpart', 'part' or 'whole'.
        area (int): Pixels of the mask.
        visible (int): Pixels of it that no later mask was painted over.
        scores (tuple[float, ...]): Of the background and each class.
        decision (str): Name that won.
        confidence (float): Its score.
    """

    index: int
    level: str
    area: int
    visible: int
    scores: tuple[float, ...]
    decision: str
    confidence: float


def explain_masks(
    masks: SAMMasks, decisions: MaskDecisions, names: Sequence[str]
) -> list[MaskExplanation]:
    """List the masks in the order in which they were painted, last first.

    Args:
        masks (SAMMasks): S masks of the image.
        decisions (MaskDecisions): What SAMS decided for them.
        names (Sequence[str]): Of the columns of the scores: background, then
            the P present classes.

    Returns:
        list[MaskExplanation]: One a mask, (S,).

    Raises:
        ValueError: If there is not one name for each column.
    """
    if len(names) != decisions.scores.shape[1]:
        raise ValueError(
            f'names must be {decisions.scores.shape[1]}, background first, '
            f'got {list(names)}'
        )
    order = paint_order(masks.levels, decisions.confidence)
    top = top_mask(masks.masks, order)
    visible = torch.bincount(top[top >= 0], minlength=len(masks))
    areas = masks.masks.flatten(1).sum(1)
    return [
        MaskExplanation(
            index=i,
            level=LEVEL_NAMES[int(masks.levels[i])],
            area=int(areas[i]),
            visible=int(visible[i]),
            scores=tuple(decisions.scores[i].tolist()),
            decision=names[int(decisions.winner[i])],
            confidence=float(decisions.confidence[i]),
        )
        for i in order.flip(0).tolist()
    ]


def explanation_table(
    rows: Sequence[MaskExplanation], names: Sequence[str]
) -> str:
    """The explanations as a Markdown table.

    Args:
        rows (Sequence[MaskExplanation]): From :func:`explain_masks`.
        names (Sequence[str]): Background, then the P present classes.

    Returns:
        str: Ends with a newline.
    """
    head = ['mask', 'level', 'pixels', 'visible', *names, 'decision']
    body = [
        [
            str(row.index),
            row.level,
            str(row.area),
            str(row.visible),
            *(f'{score:.3f}' for score in row.scores),
            row.decision,
        ]
        for row in rows
    ]
    lines = [head, ['---'] * len(head), *body]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def paint_decisions(
    image: Image,
    masks: SAMMasks,
    decisions: MaskDecisions,
    colours: Sequence[Sequence[int]],
    level: int,
) -> Image:
    """Paint the masks of one level in the colours of their decisions.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        masks (SAMMasks): Masks of all levels, of the picture's size.
        decisions (MaskDecisions): Their winners.
        colours (Sequence): RGB of each column of the scores.
        level (int): 0 sub-part, 1 part, 2 whole.

    Returns:
        ndarray: RGB, uint8, (H, W, 3), with outlines and mask numbers.
    """
    canvas = np.asarray(0.45 * image, np.uint8)
    order = paint_order(masks.levels, decisions.confidence)
    shown = masks.nonempty() & (masks.levels == level)
    chosen = order[shown[order]].tolist()
    for index in chosen:
        where = masks.masks[index].cpu().numpy()
        colour = np.asarray(colours[int(decisions.winner[index])])
        canvas[where] = 0.5 * image[where] + 0.5 * colour
    for index in chosen:
        shape = masks.masks[index].cpu().numpy().astype(np.uint8)
        _outline(canvas, shape, str(index))
    return canvas


def _outline(canvas: Image, shape: Image, text: str) -> None:
    """Draw the border of a mask, and its number where it is widest."""
    found, _ = cv2.findContours(shape, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, found, -1, (255, 255, 255), 1)
    depth = cv2.distanceTransform(np.pad(shape, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    scale = max(0.3, canvas.shape[1] / 1200)
    place = (max(0, int(x) - 4 * len(text)), int(y) + 4)
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(
            canvas,
            text,
            place,
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            colour,
            width,
            cv2.LINE_AA,
        )


def explanation_picture(
    image: Image,
    cams: Tensor,
    masks: SAMMasks,
    decisions: MaskDecisions,
    seed: Tensor,
    names: Sequence[str],
    labels: Sequence[int],
    palette: Sequence[Sequence[int]],
    cell: int = 320,
) -> Image:
    """One picture: photograph, CAMs, masks by level, seed.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        cams (Tensor): CAMs of the present classes, (P, H, W).
        masks (SAMMasks): S masks.
        decisions (MaskDecisions): What SAMS decided for them.
        seed (Tensor): The seed, uint8, (H, W).
        names (Sequence[str]): Background, then the present classes.
        labels (Sequence[int]): Labels of the present classes in the seed.
        palette (Sequence): RGB of each label.
        cell (int): Side of each panel, pixels.

    Returns:
        ndarray: RGB, uint8.
    """
    colours = [_BACKGROUND_GREY, *(palette[label] for label in labels)]
    panels = [('image', image)]
    for name, cam in zip(names[1:], cams.cpu().float().numpy(), strict=True):
        panels.append((f'CAM {name}', overlay_cam(image, cam)))
    for level in (2, 1, 0):
        count = int((masks.levels == level).sum())
        painted = paint_decisions(image, masks, decisions, colours, level)
        panels.append((f'{LEVEL_NAMES[level]} ({count})', painted))
    painted = paint_labels(image, seed.cpu().numpy(), palette)
    panels.append(('seed', painted))
    titles, pictures = zip(*panels, strict=True)
    return picture_sheet([pictures], titles, [', '.join(names[1:])], cell)
