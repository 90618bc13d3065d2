"""Which photos are learnt from in which step, and what the network sees of them.

All chance is counted, not drawn: a photo's look in an epoch depends on the seed, the epoch and the photo alone, so that
neither the order of threads, nor the number of processes, nor a new start changes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import ceil

import numpy as np
from PIL import Image

from ... import photos
from ...photos import Photo
from ...photos.sets import PhotoSet
from ...preprocessing import NORMALISATIONS
from ...tools.arrays import Array
from ...tools.machine import cores
from ...tools.pipeline import batches, in_order
from ..body import Body
from .augmentation import augmented, mixed, needed
from .recipe import Recipe

KEPT = 1 << 30  # bytes of decoded photos that one set may keep in memory
ORDER, LOOK, MIXTURE = 1, 2, 3  # what chance decides


@dataclass(frozen=True)
class Share:
    """One process of several, each of which takes its share of every batch."""

    rank: int = 0
    processes: int = 1

    @property
    def first(self) -> bool:
        """The one that reports and writes."""
        return self.rank == 0

    def of(self, things: Array) -> Array:
        return np.array_split(things, self.processes)[self.rank]


ALONE = Share()


@dataclass(frozen=True)
class Batch:
    """Pictures that go through the network at once."""

    x: Array  # (batch, height, width, 3) float32, normalised
    targets: Array  # (batch, classes) float32


@dataclass(frozen=True)
class Step:
    """One change of the weights: this process' share of it."""

    number: int  # from 0, in its epoch
    photos: int  # of all processes together
    batches: tuple[Batch, ...]


class DecodedPhotos:
    """Photos that are decoded once and made as small as will do, as long as there is room for them in memory."""

    def __init__(self, found: Sequence[Photo], smaller: Callable[[Image.Image], Image.Image], read_to: int):
        self.photos, self.smaller, self.read_to = found, smaller, read_to
        self._kept: dict[int, Image.Image] = {}
        self._room, self._lock = KEPT, threading.Lock()

    def __getitem__(self, number: int) -> Image.Image:
        if number in self._kept:
            return self._kept[number]
        photo = self.smaller(photos.read(self.photos[number], needed=self.read_to))
        size = 3 * photo.width * photo.height
        with self._lock:
            if size <= self._room:
                self._room -= size
                self._kept[number] = photo
        return photo


class TrainingBatches:
    """A set of photos that a network learns from."""

    def __init__(self, found: PhotoSet, body: Body, recipe: Recipe, seed: int, share: Share, workers: int = 1):
        self.found, self.body, self.recipe, self.seed, self.share = found, body, recipe, seed, share
        self.workers = workers
        least = max(needed(body.size, recipe.crop), body.preprocessing.needed(body.size))
        self._decoded = DecodedPhotos(found.photos, partial(_reduced, least=least), least)
        self.targets = found.targets.astype(np.float32)

    @property
    def steps(self) -> int:
        """Of one epoch."""
        together = self.recipe.batch_size * self.recipe.accumulate * self.share.processes
        return parts(len(self.found), together, self._least * self.share.processes)

    def epoch(self, number: int) -> Iterator[Step]:
        """The steps of an epoch; the next pictures are made while a step is taken."""
        plan = [self._own(batch) for batch in np.array_split(self._order(number), self.steps)]
        shown = [photo for _, own in plan for part in own for photo in part]
        pictures = in_order(partial(self._look, number), shown, self.workers)
        for step, (together, own) in enumerate(plan):
            share = self._mixture(number, step)
            yield Step(step, together, tuple(self._batch(part, pictures, share) for part in own))

    @property
    def _least(self) -> int:
        """Photos of a batch: one alone has no variance and no neighbour."""
        return min(2, self.recipe.batch_size)

    def _order(self, epoch: int) -> Array:
        return np.random.default_rng((ORDER, self.seed, epoch)).permutation(len(self.found))

    def _own(self, batch: Array) -> tuple[int, list[Array]]:
        """How many photos a whole batch has, and this process' of them in parts that fit into memory."""
        own = self.share.of(batch)
        return len(batch), np.array_split(own, parts(len(own), self.recipe.batch_size, self._least))

    def _look(self, epoch: int, photo: int) -> Array:
        chance = np.random.default_rng((LOOK, self.seed, epoch, photo))
        body = self.body
        x = augmented(self._decoded[photo], body.preprocessing, body.size, self.recipe, chance)
        return NORMALISATIONS[body.preprocessing.normalisation](x)

    def _mixture(self, epoch: int, step: int) -> float:
        alpha = self.recipe.mixup
        return float(np.random.default_rng((MIXTURE, self.seed, epoch, step)).beta(alpha, alpha)) if alpha else 1.0

    def _batch(self, part: Array, pictures: Iterator[Array], share: float) -> Batch:
        x, targets = np.stack(list(islice(pictures, len(part)))), self.targets[part]
        if share < 1:
            x, targets = mixed(x, targets, share)
        return Batch(np.asarray(x, np.float32), np.asarray(targets, np.float32))


class PlainBatches:
    """Photos as the finished model will see them."""

    def __init__(self, found: PhotoSet, body: Body, size: int, workers: int = 1):
        self.found, self.body, self.size, self.workers = found, body, size, workers
        self._decoded = DecodedPhotos(found.photos, self._resized, body.preprocessing.needed(body.size))
        self.targets = found.targets.astype(np.float32)

    def __len__(self) -> int:
        return len(self.found)

    def batches(self, share: Share = ALONE) -> Iterator[Batch]:
        """All of them, or one process' share."""
        own = share.of(np.arange(len(self)))
        pictures = in_order(self._look, own, self.workers)
        for part in batches(own, self.size):
            x = np.stack(list(islice(pictures, len(part))))
            yield Batch(x, self.targets[part])

    def _resized(self, photo: Image.Image) -> Image.Image:
        return Image.fromarray(self.body.preprocessing.resize(photo, self.body.size))

    def _look(self, photo: int) -> Array:
        return NORMALISATIONS[self.body.preprocessing.normalisation](np.asarray(self._decoded[photo]))


def workers_beside(device: str) -> int:
    """Threads that read photos: all cores beside a GPU; few, where the network itself needs the cores."""
    return cores() if device == "cuda" else max(1, cores() // 4)


def parts(count: int, most: int, least: int) -> int:
    """Into how many parts of about one size things go: at most so many in each, where none has fewer than `least`."""
    return max(1, min(ceil(count / most), count // least))


def _reduced(photo: Image.Image, least: int) -> Image.Image:
    """A photo by a whole number smaller, where its shorter side keeps so many pixels."""
    by = min(photo.size) // least
    return photo.reduce(by) if by > 1 else photo
