# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""Explain a seed by SAMS: masks by level, their scores, their decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..models.cams import upsample_cams
from ..models.seeding import MaskDecisions, paint_order, top_rank
from ..structures import LEVEL_NAMES, SAMMasks
from .painting import label_borders, overlay_cam, paint_labels
from .sheet import picture_sheet, with_legend
from .texts import write_text

__all__ = [
    'MaskExplanation',
    'explain_masks',
    'explanation_picture',
    'explanation_table',
    'paint_decisions',
]

Image = NDArray[np.uint8]
_BACKGROUND_GREY = (150, 150, 150)
_COLUMNS = 4


@dataclass(frozen=True)
class MaskExplanation:
    """Tell what a seeder decided about one mask, and why.

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
    # Paint as SAMS does, and count what stays visible of each mask
    order = paint_order(masks.levels, decisions.confidence)
    top = _top_mask(masks, order)
    visible = torch.bincount(top[top >= 0], minlength=len(masks))
    areas = masks.masks.flatten(1).sum(1)
    # List from the top of the paint down
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
    """Write the explanations as a Markdown table.

    Args:
        rows (Sequence[MaskExplanation]): From :func:`explain_masks`.
        names (Sequence[str]): Background, then the P present classes.

    Returns:
        str: Ends with a newline.
    """
    # Write a line for each mask, after the heads of the columns
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
        ndarray: RGB, uint8, (H, W, 3): what is visible of each mask when the
        level is painted alone, with white borders and, where there is room,
        the number of the mask.
    """
    canvas = np.asarray(0.45 * image, np.uint8)
    # Find the masks of the level, and those that are seen
    order = paint_order(masks.levels, decisions.confidence)
    order = order[masks.levels[order] == level]
    top = _top_mask(masks, order).cpu().numpy()
    visible = [int(index) for index in np.unique(top) if index >= 0]
    # Lay the class colour of each mask over the photograph
    for index in visible:
        colour = np.asarray(colours[int(decisions.winner[index])])
        where = top == index
        canvas[where] = 0.5 * image[where] + 0.5 * colour
    # Draw the borders and, on top of them, the numbers
    canvas[label_borders(top)] = 255
    for index in visible:
        _write_number(canvas, top == index, str(index))
    return canvas


def _top_mask(masks: SAMMasks, order: Tensor) -> Tensor:
    """Find the mask on top of each pixel, -1 where there is none, (H, W)."""
    ranks = top_rank(masks.masks, order)
    return torch.cat([order.new_tensor([-1]), order]).take(ranks)


def _write_number(canvas: Image, where: NDArray[np.bool_], text: str) -> None:
    """Write where a region is widest, if the text has room there."""
    # Find the point deepest inside the region
    padded = np.pad(where.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    if depth.max() < 4 + 3 * len(text):
        return
    # Centre the text there, white with a black rim
    place = (int(x) - 4 * len(text), int(y) + 5)
    write_text(canvas, text, place, 12, (255, 255, 255), rim=(0, 0, 0))


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
    """Draw one picture: photograph, CAMs, masks by level, seed, colours.

    Args:
        image (ndarray): RGB, uint8, (H, W, 3).
        cams (Tensor): CAMs of the present classes, (P, H, W); P may be 0.
        masks (SAMMasks): S masks.
        decisions (MaskDecisions): What SAMS decided for them.
        seed (Tensor): The seed, uint8, (H, W).
        names (Sequence[str]): Background, then the present classes.
        labels (Sequence[int]): Labels of the present classes in the seed.
        palette (Sequence): RGB of each label.
        cell (int): Side of each panel, pixels.

    Returns:
        ndarray: RGB, uint8. Levels without masks have no panel.
    """
    colours = [_BACKGROUND_GREY, *(palette[label] for label in labels)]
    # Everything is enlarged first, so that lines and numbers are sharp.
    image, masks, seed = _resized(image, masks, seed, cell)
    cams = upsample_cams(cams.float(), image.shape[:2])
    # Show the CAM of each class
    panels = [('image', image)]
    for name, cam in zip(names[1:], cams.cpu().numpy(), strict=True):
        panels.append((f'CAM: {name}', overlay_cam(image, cam)))
    # Show the masks of each level, wholes first
    for level in (2, 1, 0):
        count = int((masks.levels == level).sum())
        if count:
            painted = paint_decisions(image, masks, decisions, colours, level)
            title = f'{count} {LEVEL_NAMES[level]} mask' + 's' * (count > 1)
            panels.append((title, painted))
    painted = paint_labels(image, seed.cpu().numpy(), palette, borders=True)
    title = 'seed' if len(masks) else 'seed (there are no masks)'
    panels.append((title, painted))
    return _arranged(panels, names, colours, cell)


def _resized(
    image: Image, masks: SAMMasks, seed: Tensor, side: int
) -> tuple[Image, SAMMasks, Tensor]:
    """Resize all to the longer side given, (H', W')."""
    scale = side / max(image.shape[:2])
    height, width = (max(1, round(s * scale)) for s in image.shape[:2])

    def nearest(labels: Tensor) -> Tensor:
        batch = labels[:, None].to(torch.uint8)
        return functional.interpolate(batch, (height, width))[:, 0]

    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(image, (width, height), interpolation=way)
    resized = SAMMasks(
        masks=nearest(masks.masks).bool()
        if len(masks)
        else masks.masks.new_zeros(0, height, width),
        levels=masks.levels,
        predicted_iou=masks.predicted_iou,
        stability_score=masks.stability_score,
    )
    return np.asarray(picture, np.uint8), resized, nearest(seed[None])[0]


def _arranged(
    panels: Sequence[tuple[str, Image]],
    names: Sequence[str],
    colours: Sequence[Sequence[int]],
    cell: int,
) -> Image:
    """Arrange panels in rows, and below them the colour of each class."""
    # Put as many panels in a row as fit
    columns = min(_COLUMNS, len(panels))
    rows = []
    for start in range(0, len(panels), columns):
        titles, pictures = zip(*panels[start : start + columns], strict=True)
        # white panels fill the last row
        missing = columns - len(titles)
        blank = np.full((1, cell, 3), 255, np.uint8)  # adds no height
        rows.append(
            picture_sheet(
                [[*pictures, *[blank] * missing]],
                [*titles, *[''] * missing],
                [''],
                cell,
            )
        )
    # Add a legend, a line for each class
    return with_legend(np.concatenate(rows), names, colours)
