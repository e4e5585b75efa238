# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""One function over many files: processes, a bar, failures at the end."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar

from mmengine.logging import MMLogger
from tqdm import tqdm

from ..evaluation.metrics.failures import describe_failure, list_failures

__all__ = ['Outcome', 'report_failures', 'run_all']

_Job = TypeVar('_Job')


class Outcome(NamedTuple):
    """Hold the value or the failure of one job.

    Attributes:
        result: What the function returned, None where it failed.
        failure (str, optional): Why it failed.
    """

    result: Any
    failure: str | None


def _attempt(function: Callable[[_Job], Any], job: _Job) -> Outcome:
    try:
        return Outcome(function(job), None)
    except Exception as error:  # one bad file must not end the run
        return Outcome(None, describe_failure(error))


def _outcomes(
    function: Callable[[_Job], Any], jobs: Sequence[_Job], workers: int
) -> Iterator[Outcome]:
    # Stay in this process where one worker is enough.
    attempt = partial(_attempt, function)
    if workers <= 1:
        yield from map(attempt, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(attempt, jobs, chunksize=16)


def run_all(
    function: Callable[[_Job], Any],
    jobs: Sequence[_Job],
    workers: int,
    description: str,
) -> list[Outcome]:
    """Run a function on every job, with a progress bar.

    Args:
        function (Callable): Of one job; of a module's top level, if there are
            several workers.
        jobs (Sequence): What it is called with.
        workers (int): Number of processes; 1: this one.
        description (str): In front of the bar.

    Returns:
        list[Outcome]: One for each job, in their order.
    """
    return list(
        tqdm(
            _outcomes(function, jobs, workers),
            total=len(jobs),
            desc=description,
            unit='image',
        )
    )


def report_failures(
    names: Sequence[str], outcomes: Sequence[Outcome], logger: MMLogger
) -> int:
    """Log the jobs that failed, once.

    Args:
        names (Sequence[str]): Of the jobs.
        outcomes (Sequence[Outcome]): What became of them.
        logger (MMLogger): Where to.

    Returns:
        int: Number of failures.
    """
    # Collect the jobs that failed, with the reasons.
    failures = [
        (name, outcome.failure)
        for name, outcome in zip(names, outcomes, strict=True)
        if outcome.failure is not None
    ]
    if failures:
        what = 'failed and have no result'
        logger.error(list_failures(failures, len(names), what))
    return len(failures)
