# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
"""An order of the pictures that can be taken up anywhere."""

from collections.abc import Iterator, Sized
from itertools import islice
from typing import Any

import torch
from mmengine.dataset import ClassBalancedDataset
from mmengine.dist import get_dist_info, sync_random_seed
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from ...structures.draw import Draw, DrawTable

__all__ = ['ReproducibleSampler']


@DATA_SAMPLERS.register_module()
class ReproducibleSampler(Sampler[int]):
    """Every draw depends on the seed and on its place in the order only.

    The order of pass k over the data is a permutation seeded with
    ``seed + k``; the augmentation of a picture in it is seeded with the run's
    seed, the picture and k, by the transform ``ReproducibleAugmentation``.
    Neither the number of workers, nor a stop and a resumption, nor the number
    of processes changes what iteration i sees: processes deal the order out
    to each other, so that their batches together are the one batch of a
    single process.

    Args:
        dataset (Sized): The data set; mmengine gives it. A
            ``ClassBalancedDataset`` in it gets a :class:`DrawTable`.
        shuffle (bool): Whether to permute.
        infinite (bool): Chain the passes, for ``IterBasedTrainLoop``. Else
            one pass an epoch, the ``DistSamplerSeedHook`` says which.
        epoch_draws (int, optional): Draws of an epoch, in all processes, so
            that its length does not depend on the data: epoch e takes up
            where epoch e - 1 was in the chain of passes. None: each picture
            once. Not for ``infinite``.
        views (int, optional): Augmented views of a picture; pass k shows
            number k mod ``views``. None: new ones in every pass.
        seed (int, optional): mmengine gives the run's. None: a random one.

    Raises:
        ValueError: If ``views`` or ``epoch_draws`` is below 1, or the latter
            meets ``infinite``.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        infinite: bool = False,
        views: int | None = None,
        seed: int | None = None,
        epoch_draws: int | None = None,
    ) -> None:
        if epoch_draws is not None and (infinite or epoch_draws < 1):
            raise ValueError(
                'Expected `epoch_draws` >= 1 and not infinite=True, but got '
                f'epoch_draws={epoch_draws} and infinite={infinite}.'
            )
        # Take note of processes, data set and order
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        _keep_draws(dataset)
        self.shuffle = shuffle
        self.infinite = infinite
        self.epoch_draws = epoch_draws
        self.limit_views(views)
        # Agree on one seed, on which order and augmentation depend
        self.seed: int = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self._skipped = 0

    def limit_views(self, views: int | None) -> None:
        """Show so many views of each picture, again and again; None: no limit.

        Raises:
            ValueError: If ``views`` is less than 1.
        """
        if views is not None and views < 1:
            raise ValueError(f'Expected views >= 1, but got {views}.')
        self.views = views

    def _order(self, number: int) -> list[int]:
        """List the pictures in the order of a pass."""
        if not self.shuffle:
            return list(range(len(self.dataset)))
        generator = torch.Generator().manual_seed(self.seed + number)
        return torch.randperm(len(self.dataset), generator=generator).tolist()

    def _draws(self, number: int, order: list[int]) -> list[Draw]:
        view = number if self.views is None else number % self.views
        return [Draw(index, view, self.seed) for index in order]

    def __iter__(self) -> Iterator[Draw]:
        """Draw this process's share of the order."""
        if self.infinite:
            return self._endless()
        # Give each process every n-th draw of a part of the endless order
        if self.epoch_draws is not None:
            chain = self._endless(self.epoch * self._total)
            return islice(chain, len(self))
        # Or of the epoch's own pass
        order = self._order(self.epoch)
        # As DefaultSampler: begin again, until all processes have as many.
        padded = (order * (1 + self.world_size))[: self._total]
        return iter(
            self._draws(self.epoch, padded[self.rank :: self.world_size])
        )

    def _endless(self, start: int = 0) -> Iterator[Draw]:
        # Start behind the draws that a resumed training has seen
        place = start + self.rank + self._skipped * self.world_size
        number = -1
        # Shuffle anew whenever a pass over the pictures begins
        while True:
            current, offset = divmod(place, len(self.dataset))
            if current != number:
                number, order = current, self._order(current)
            yield self._draws(number, order[offset : offset + 1])[0]
            place += self.world_size

    @property
    def _total(self) -> int:
        draws = self.epoch_draws or len(self.dataset)
        return self.world_size * -(-draws // self.world_size)

    def __len__(self) -> int:
        """Count this process's draws in an epoch; all pictures if infinite."""
        if self.infinite:
            return len(self.dataset)
        return self._total // self.world_size

    def skip(self, num_samples: int) -> None:
        """Begin after that many draws of this process, if infinite.

        Newer versions of mmengine call it on resumption; version 0.10.7 loads
        and drops what was seen before, to the same effect.
        """
        self._skipped = num_samples

    def set_epoch(self, epoch: int) -> None:
        """Say which pass is next, if not infinite."""
        self.epoch = epoch

    def __repr__(self) -> str:
        arguments: dict[str, Any] = dict(
            shuffle=self.shuffle, infinite=self.infinite, views=self.views
        )
        if self.epoch_draws is not None:
            arguments['epoch_draws'] = self.epoch_draws
        text = ', '.join(f'{k}={v}' for k, v in arguments.items())
        return f'{type(self).__name__}({text})'


def _keep_draws(dataset: Any) -> None:
    """Let wrappers that look indices up hand draws on to what they wrap."""
    # Go into all wrappers, also inside each other
    inner = getattr(dataset, 'dataset', None)
    for part in (inner, *getattr(dataset, 'datasets', ())):
        if part is not None:
            _keep_draws(part)
    # Replace the table of indices by one that knows draws
    if isinstance(dataset, ClassBalancedDataset):
        dataset.full_init()
        dataset.repeat_indices = DrawTable(dataset.repeat_indices)
