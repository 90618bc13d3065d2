"""Own classes, taught on the device: a network's features of a few photos become the weights of a class.

No training is needed. The network without its last layer turns each photo into a vector; vectors are brought to one
scale and squashed, and the mean of a class' vectors is its weights (imprinting; Qi, Brown and Lowe 2018,
arXiv:1712.07136). `classify.py` asks for it; the photos' vectors are kept in taught.npz, so that a class can be learnt
further, or forgotten.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

Array = np.ndarray

TRUSTED = 250  # photos whose statistics count as much as the assumption that all numbers of a vector are alike
QUIETEST = 0.3  # the part of the mean variance that is added to each, so that a silent number is not amplified
ALIKE = 4.0  # the variance assumed before a photo is seen, in mean squares of the numbers
SHARPNESS = tuple(np.geomspace(4, 128, 11))  # of the softmax over cosines, that are tried
USUAL = 16.0  # where no class has a photo to spare for trying
SMALLEST_WAY = 1e-6  # between two means, so that twins do not divide by zero
IMPRINT = "imprint"  # the method of a network whose classes are means of photos
LEAN = 0.15  # of a margin, by which a class of few photos is helped


class Fault(Exception):  # noqa: N818 - named by what is wrong
    """What a person can mend; its message says where, what was found, and what to do."""


@dataclass(frozen=True)
class Head:
    """What makes classes of a vector x.

    z = tanh((x - mean) / sqrt(variance)); scores = softmax(z · kernel + bias), or sigmoid where a photo can have
    several classes.
    """

    mean: Array  # (numbers,)
    variance: Array  # (numbers,)
    kernel: Array  # (numbers, classes)
    bias: Array  # (classes,)
    means: Array  # (classes, numbers): of each class' photos, as z; of length 1
    several: bool = False

    def squashed(self, x: Array) -> Array:
        return np.asarray(np.tanh((x - self.mean) / np.sqrt(self.variance)), np.float32)

    def scores(self, x: Array) -> Array:
        logits = self.squashed(x) @ self.kernel + self.bias
        if self.several:
            return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum())

    def with_more_of(self, number: int, before: int, x: Array) -> Head:
        """A class' mean over the photos that it was learnt from before, and these."""
        mean = unit(before * self.means[number] + unit(self.squashed(x)).sum(0))
        kernel, means = self.kernel.copy(), self.means.copy()
        kernel[:, number] = np.linalg.norm(kernel[:, number]) * mean
        means[number] = mean
        return replace(self, kernel=kernel, means=means)

    def with_class(self, x: Array, *, imprinted: bool) -> Head:
        """One class more; `imprinted` says that the others are class means, too."""
        z = self.squashed(x)
        mean, length = unit(unit(z).sum(0)), float(np.linalg.norm(z, axis=1).mean())
        if self.several:
            column, offset = self.alone(mean, length)
        elif imprinted:
            column, offset = np.linalg.norm(self.kernel[:, 0]) * mean, 0.0
        else:
            column, offset = self.beside(mean, length)
        return replace(
            self,
            kernel=np.hstack([self.kernel, column[:, np.newaxis]]).astype(np.float32),
            bias=np.append(self.bias, offset).astype(np.float32),
            means=np.vstack([self.means, mean]),
        )

    def beside(self, mean: Array, length: float) -> tuple[Array, float]:
        """Weights beside those of a regression: it wins at its own mean by the margin by which the others do."""
        at_means = length * self.means @ self.kernel + self.bias
        own = np.diagonal(at_means)
        margin = float((own - np.where(np.eye(len(own), dtype=bool), -np.inf, at_means).max(1)).mean())
        height = float((length * mean @ self.kernel + self.bias).max()) + margin
        column, offset = self.line(mean, length, height, own - margin)
        return column, offset + LEAN * margin

    def alone(self, mean: Array, length: float) -> tuple[Array, float]:
        """Weights of a class that others do not exclude."""
        height = float(np.abs(np.diagonal(length * self.means @ self.kernel + self.bias)).mean())
        return self.line(mean, length, height, np.full(len(self.means), -height))

    def line(self, mean: Array, length: float, height: float, most: Array) -> tuple[Array, float]:
        """A logit that is `height` at a mean and `most` at each of the other classes' means, or less."""
        apart = unit(mean - unit(self.means.mean(0)))
        way = np.maximum(length * (apart @ mean - self.means @ apart), SMALLEST_WAY)
        slope = max(0.0, float(((height - most) / way).max()))
        return slope * apart, height - slope * length * float(apart @ mean)


def imprinted(x: Array, classes: Array) -> Head:
    """A head from nothing but photos: class means, and a softmax over the cosines to them.

    x: (photos, numbers); classes: (photos,), the number of each photo's class.
    """
    trust = len(x) / (len(x) + TRUSTED)
    own = x.var(0, dtype=np.float64)
    assumed = ALIKE * np.square(x, dtype=np.float64).mean()
    variance = np.maximum(trust * (own + QUIETEST * own.mean()) + (1 - trust) * assumed, np.finfo(np.float32).tiny)
    mean = trust * x.mean(0, dtype=np.float64)
    none = np.zeros((0, x.shape[1]), np.float32)
    blank = Head(mean.astype(np.float32), variance.astype(np.float32), none.T, none[:, 0], none)
    z = blank.squashed(x)
    belongs = classes[:, np.newaxis] == np.arange(classes.max() + 1)
    means = unit(belongs.T.astype(np.float32) @ unit(z))
    length = float(np.linalg.norm(z, axis=1).mean())
    kernel = sharpness(unit(z), classes, belongs) * means.T / (length or 1)
    return replace(blank, kernel=kernel, bias=np.zeros(len(means)), means=means)


def sharpness(z: Array, classes: Array, belongs: Array) -> float:
    """How much the softmax makes of a cosine: what makes photos' own classes likeliest, by the other photos' means."""
    spare = belongs.sum(0)[classes] > 1
    if not spare.any():
        return USUAL
    sums = belongs.T.astype(np.float32) @ z
    cosines = z @ unit(sums).T
    cosines[np.arange(len(z)), classes] = (unit(sums[classes] - z) * z).sum(1)  # had the photo not been there

    def surprise(sharp: float) -> float:
        logits = sharp * cosines[spare]
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return float(-np.log(powers[np.arange(len(powers)), classes[spare]] / powers.sum(1)).mean())

    return float(min(SHARPNESS, key=surprise))


def unit(z: Array) -> Array:
    """Every row of length 1; one of zeros stays."""
    lengths = np.linalg.norm(z, axis=-1, keepdims=True)
    return np.asarray(z / np.where(lengths == 0, 1, lengths), np.float32)


@dataclass(frozen=True)
class Lessons:
    """Every photo that this device was taught with, as the vector that its network made of it."""

    names: Array  # (photos,) of text
    vectors: Array  # (photos, numbers)
    network: str  # the checksum of features.*, whose vectors no other network can use

    @classmethod
    def read(cls, path: Path, network: str, numbers: int) -> Lessons:
        """No photos where nothing was taught. Raises Fault for a file that is damaged, or another network's."""
        if not path.exists():
            return cls(np.array([], str), np.empty((0, numbers), np.float32), network)
        try:
            with np.load(path, allow_pickle=False) as file:
                found = cls(file["names"], file["vectors"], str(file["network"]))
        except Exception as error:  # of NumPy, of ZIP, of the disk
            raise Fault(f"{path}: it is damaged ({error}); move it away, and teach again") from None
        if found.network != network or found.vectors.shape != (len(found.names), numbers):
            raise Fault(f"{path}: another network was taught with it; move it away, and teach again")
        return found

    def write(self, path: Path) -> None:
        """All of it or nothing: what was there stays until the new file is whole. Raises Fault."""
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with open(part, "wb") as file:
                np.savez(file, names=self.names, vectors=self.vectors, network=self.network)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except OSError as error:
            raise Fault(f"{path}: it cannot be written ({error.strerror}); nothing new was learnt") from None
        finally:
            if part.exists():
                part.unlink()

    def counts(self) -> dict[str, int]:
        """The classes in the order in which they were first taught, and their photos."""
        return dict(Counter(self.names.tolist()))

    def of(self, name: str) -> Array:
        return np.asarray(self.vectors[self.names == name])

    def with_photos(self, name: str, vectors: list[Array]) -> Lessons:
        names = np.append(self.names, [name] * len(vectors))
        return replace(self, names=names, vectors=np.vstack([self.vectors, *vectors]).astype(np.float32))

    def without(self, name: str) -> Lessons:
        others = self.names != name
        return replace(self, names=self.names[others], vectors=self.vectors[others])


@dataclass(frozen=True)
class Origin:
    """The classes that a kit came with."""

    labels: list[str]
    head: Head | None = None  # None: hati did not teach the network these classes
    method: str = IMPRINT  # by which it did
    photos: dict[str, int] = field(default_factory=dict)  # of each class that it did

    @classmethod
    def read(cls, path: Path, labels: list[str], method: str, photos: dict[str, int], several: bool) -> Origin:
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(labels, Head(**file, several=several), method, photos)
        except Exception as error:  # of NumPy, of ZIP, of the disk
            raise Fault(f"{path}: it is damaged ({error}); copy the kit again") from None

    def with_lessons(self, lessons: Lessons) -> tuple[list[str], Head] | None:
        """All classes with those that were taught here, and their head; None where the network itself knows them all.

        New classes join those that hati taught. Others, such as ImageNet's, they replace as soon as there are two.
        """
        counts, head = lessons.counts(), self.head
        if head is None:
            names = list(counts)
            classes = np.array([names.index(name) for name in lessons.names.tolist()])
            return (names, imprinted(lessons.vectors, classes)) if len(names) > 1 else None
        for name in counts:
            if name in self.photos:
                head = head.with_more_of(self.labels.index(name), self.photos[name], lessons.of(name))
            else:
                head = head.with_class(lessons.of(name), imprinted=self.method == IMPRINT)
        return ([*self.labels, *(name for name in counts if name not in self.photos)], head) if counts else None

    def checked(self, name: str, lessons: Lessons) -> str:
        """A name that photos can be taught by. Raises Fault."""
        name = name.strip()
        known = {one.casefold(): one for one in (*self.photos, *lessons.counts())}
        twin = known.get(name.casefold(), name)
        if not name or not name.isprintable():
            raise Fault(f"a class is called {name!r}; give it a name of letters")
        if twin != name:
            raise Fault(f"{twin!r} is known; write it so, or give the new class another name")
        if name in self.photos and self.method != IMPRINT:
            raise Fault(f"{name} is known, from {self.method}; more photos of it count only where hati trains again")
        return name
