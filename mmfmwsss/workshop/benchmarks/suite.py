# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""The comparisons by their letters, and what is kept of each."""

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ...utils.allocator import keep_freed_memory
from .class_maps import compare_class_maps
from .comparison import Missing, Row, Settings, Unequal, table_of_rows
from .everything_mode import compare_everything_modes
from .machine import describe_machine
from .many_pictures import measure_many_pictures
from .network import compare_networks
from .pipeline import measure_pipeline
from .prompt_step import compare_prompt_steps
from .roofline import compare_with_roofline
from .seeders import compare_seeders

__all__ = ['COMPARISONS', 'Comparison', 'measure']

Result = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Name a comparison and the function that makes it.

    Attributes:
        title (str): What is compared with what.
        run (Callable): Measures, given the :class:`Settings`.
    """

    title: str
    run: Callable[[Settings], Iterable[Row]]


COMPARISONS = {
    'a': Comparison(
        'prompt step against plain PyTorch with double backward',
        compare_prompt_steps,
    ),
    'b': Comparison(
        'CAM and affinity of an image against class by class',
        compare_class_maps,
    ),
    'c': Comparison(
        'everything mode against SamAutomaticMaskGenerator',
        compare_everything_modes,
    ),
    'd': Comparison(
        'SAMS against a loop, dense CRF against pydensecrf', compare_seeders
    ),
    'e': Comparison(
        'masks and seeds of more and more pictures', measure_pipeline
    ),
    'f': Comparison(
        'stage-2 inference with and without SAMS', compare_networks
    ),
    'g': Comparison(
        'growth with the number of pictures', measure_many_pictures
    ),
    'h': Comparison(
        "share of this machine's matrix rate", compare_with_roofline
    ),
}


def measure(
    letter: str,
    settings: Settings,
    tell: Callable[[Result, Row], None] | None = None,
) -> Result:
    """Run one comparison; what it lacks, or fails at, is its result.

    Args:
        letter (str): Of ``COMPARISONS``.
        settings (Settings): How thoroughly.
        tell (Callable, optional): Is given the result so far and the last
            row of it, after each row.

    Returns:
        dict: ``title``, ``state`` (``'measured'`` or why not all was),
        ``rows``, ``table`` in markdown, ``seconds`` and ``machine``.
    """
    comparison = COMPARISONS[letter]
    start, machine = time.perf_counter(), describe_machine()
    rows: list[Row] = []

    def result(state: str) -> Result:
        return dict(
            title=comparison.title,
            state=state,
            rows=[row.as_dict() for row in rows],
            table=table_of_rows(rows),
            seconds=round(time.perf_counter() - start, 1),
            machine=machine,
        )

    # Allocate as the commands do
    keep_freed_memory()
    try:
        for row in comparison.run(settings):
            rows.append(row)
            if tell is not None:
                tell(result('failed: it ended on the way'), row)
    except Missing as missing:
        return result(f'left out: {missing}')
    except Unequal as found:
        return result(f'the results are not equal: {found}')
    except Exception as error:  # the other comparisons go on
        traceback.print_exc()
        return result(f'failed: {type(error).__name__}: {error}')
    return result('measured')
