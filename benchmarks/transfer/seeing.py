"""Photos as the default model's body sees them, once for all jobs of this process."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

import hati
from hati.network.taught import Provenance
from hati.photos import sets
from hati.photos.sets import PhotoSet
from hati.transfer.body import Body
from hati.transfer.heads import Head
from hati.transfer.imprinting import imprint
from hati.transfer.origin import versions
from hati.transfer.probing import probe
from hati.transfer.views import views

from .plan import Photos

Array = np.ndarray


@dataclass(frozen=True)
class Sight:
    """A set's photos to learn from and to validate with, and their vectors."""

    body: Body
    train: PhotoSet
    vectors: Array  # (photos, views, numbers)
    validation: PhotoSet
    validation_vectors: Array  # (photos, numbers)

    def head(self, method: str, places: Array) -> Head:
        """From the photos at some places."""
        vectors, targets = self.vectors[places], self.train.targets[places]
        if method == "imprint":
            return imprint(vectors[:, 0], targets)
        return probe(vectors, targets, verbose=0).head

    def accuracy(self, head: Head) -> float:
        """On the validation photos."""
        said = head.scores(self.validation_vectors).argmax(1)
        return float((said == self.validation.numbers).mean())

    def provenance(self, method: str) -> Provenance:
        """Of a model that learnt from all of the photos."""
        counts = tuple(self.train.counts.items())
        return Provenance(hati.DEFAULT_MODEL, self.body.checksum, method, (), counts, False, None, versions())

    def without(self, number: int) -> "Sight":
        """The photos to learn from of all classes but one."""
        others = self.train.numbers != number
        classes = self.train.classes[:number] + self.train.classes[number + 1 :]
        rest = PhotoSet(self.train.take(others).photos, classes, np.delete(self.train.targets[others], number, 1))
        return replace(self, train=rest, vectors=self.vectors[others])


@cache
def flowers_of(photos: Photos) -> Sight:
    body = Body.of(hati.load())
    learnt, kept = sets.read(photos.train("flowers")), sets.read(photos.val("flowers"))
    vectors = body.see(learnt.photos, views(2), verbose=0).vectors
    return Sight(body, learnt, vectors, kept, body.see(kept.photos, verbose=0).first)


def drawn(numbers: Array, count: int, draw: int) -> Array:
    """Places of so many photos of each class; a longer draw of one number begins with the shorter one."""
    generator = np.random.default_rng(draw)
    own = [generator.permutation(np.flatnonzero(numbers == number)) for number in np.unique(numbers)]
    return np.concatenate([places[:count] for places in own])
