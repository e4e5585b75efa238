# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""What the page says, as HTML in which every name is escaped."""

from collections.abc import Mapping, Sequence
from html import escape

from ...apis.seed_one_photo import PhotoSeed
from .mask_reasons import MaskReason

__all__ = ['lines_html', 'reason_html', 'result_lines', 'scores_html']

_NO_MASK = (
    '<p>No mask of SAM lies here, so this is background (Section 4.2 of the '
    'paper).</p>'
)


def lines_html(lines: Sequence[str]) -> str:
    """Put each line into a paragraph."""
    return ''.join(f'<p>{escape(line)}</p>' for line in lines)


def result_lines(result: PhotoSeed, unknown: Sequence[str]) -> list[str]:
    """Say what was found in a photo, how long it took, and what to doubt.

    Args:
        result (PhotoSeed): Of the photo.
        unknown (Sequence[str]): Tags that the CLIP was not taught.
    """
    # Measure the share of each tag
    shares = ', '.join(
        f'{tag} {(result.seed == place).float().mean():.0%}'
        for place, tag in enumerate(result.tags, 1)
    )
    steps = ', '.join(f'{k} {s:.1f}' for k, s in result.seconds.items())
    lines = [
        f'{shares} of the photo. {sum(result.seconds.values()):.1f} seconds: '
        f'{steps}.'
    ]
    # Warn of names that the CLIP never saw
    lines += [
        f'The CLIP was not taught {tag!r}, and may guess.' for tag in unknown
    ]
    return lines


def scores_html(scores: Mapping[str, float], tags: Sequence[str]) -> str:
    """Tabulate what the CLIP sees: tags in bold among the best names (Eq. 1).

    Args:
        scores (Mapping[str, float]): Softmax of each name, best first.
        tags (Sequence[str]): Of the photo.
    """
    best = [*scores][:6]
    rows = [
        _row([f'<b>{escape(n)}</b>' if n in tags else escape(n)], scores[n])
        for n in dict.fromkeys([*best, *(t for t in tags if t in scores)])
    ]
    return (
        '<h4>What the CLIP sees (Eq. 1)</h4>'
        f'<table class="scores">{"".join(rows)}</table>'
    )


def reason_html(reason: MaskReason | None) -> str:
    """Tell why a mask has its class, with the numbers of Eq. 8 to 10."""
    if reason is None:
        return _NO_MASK
    # Tabulate the candidates
    rows = [
        _row(
            [
                _winner(tag.tag, reason),
                f'{tag.mean:.3g}',
                f'{tag.least:.3g} to {tag.most:.3g}',
            ],
            tag.score,
        )
        for tag in reason.tags
    ]
    formula = f'(1 &minus; best)<sup>{reason.alpha:g}</sup>'
    rows.append(
        _row([_winner('background', reason), '', formula], reason.background)
    )
    head = ''.join(
        f'<th>{title}</th>'
        for title in ('', 'mean CAM', 'all masks', 'score', '')
    )
    # Say which mask it is, and what it hides
    below = ', '.join(map(escape, reason.below[:6]))
    hidden = f'<p>It hides here: {below}.</p>' if below else ''
    return (
        f'<h4>{reason.level} mask {reason.index}, {reason.share:.0%} of the '
        f'photo: {escape(reason.winner)}</h4>'
        f'<table class="scores"><tr>{head}</tr>{"".join(rows)}</table>'
        '<p>The score of a tag is the mean of its CAM over the mask, on the '
        'scale from the least to the most of all masks (Eq. 8). The '
        'background gets what the best tag leaves (Eq. 9). The highest wins '
        '(Eq. 10). Whole masks lie on parts, parts on sub-parts, and the '
        f'surer on the less sure.</p>{hidden}'
    )


def _winner(name: str, reason: MaskReason) -> str:
    text = escape(name)
    return f'<b>{text}</b>' if name == reason.winner else text


def _row(cells: Sequence[str], score: float) -> str:
    """Write a row that ends with a number and its bar."""
    bar = f'<div class="bar" style="width:{40 * score:.0f}px"></div>'
    texts = [*cells, f'{score:.3f}', bar]
    return '<tr>' + ''.join(f'<td>{text}</td>' for text in texts) + '</tr>'
