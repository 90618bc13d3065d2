"""A head makes classes of a body's vectors: standardised, squashed, weighed.

    z = tanh((x - mean) / sqrt(variance))        the same for every class
    scores = softmax(z · kernel + bias)          sigmoid, where a photo can have several classes

The squashing keeps a few loud numbers of a vector from drowning the many quiet ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import ArgumentError
from ..labels import Label
from ..model import Model, lazy_weights
from ..network.taught import CLASSES, STANDARDISATION, Provenance, Taught, body_of, has_head, with_head
from ..tools.arrays import Array
from ..weights import from_arrays
from .body import Body

TRUSTED = 250  # photos whose statistics count as much as the assumption that all numbers of a vector are alike
QUIETEST = 0.3  # the part of the mean variance that is added to each, so that a silent number is not amplified
ALIKE = 4.0  # the variance assumed before a photo is seen, in mean squares of the numbers


@dataclass(frozen=True)
class Standardisation:
    """How a body's vectors are brought to one scale, before they are squashed."""

    mean: Array = field(repr=False)  # (numbers,)
    variance: Array = field(repr=False)  # (numbers,)

    @classmethod
    def of(cls, vectors: Array) -> Standardisation:
        """From a person's own photos: the fewer they are, the less is taken from them.

        The mean of two photos, taken from both, would leave of each just what the other is not.
        """
        trust = len(vectors) / (len(vectors) + TRUSTED)
        own = vectors.var(0, dtype=np.float64)
        own += QUIETEST * own.mean()
        assumed = ALIKE * np.square(vectors, dtype=np.float64).mean()
        variance = np.maximum(trust * own + (1 - trust) * assumed, np.finfo(np.float32).tiny)
        mean = trust * vectors.mean(0, dtype=np.float64)
        return cls(mean.astype(np.float32), variance.astype(np.float32))

    def __call__(self, vectors: Array) -> Array:
        """(photos, numbers) -> the same, from -1 to 1."""
        return np.asarray(np.tanh((vectors - self.mean) / np.sqrt(self.variance)), np.float32)


@dataclass(frozen=True)
class Head:
    """The weights of a classifier, and what is needed to teach it one more class."""

    standardisation: Standardisation
    kernel: Array  # (numbers, classes)
    bias: Array  # (classes,)
    means: Array  # (classes, numbers): of each class' photos, standardised and squashed; of length 1
    multi_label: bool = False

    def __repr__(self) -> str:
        numbers, classes = self.kernel.shape
        return f"<Head: {numbers} numbers to {classes} classes{', several at once' if self.multi_label else ''}>"

    def scores(self, vectors: Array) -> Array:
        """(photos, numbers), as the body gives them -> (photos, classes)."""
        logits = self.standardisation(vectors) @ self.kernel + self.bias
        return sigmoid(logits) if self.multi_label else softmax(logits)

    def arrays(self) -> dict[str, Array]:
        """By their names in the graph."""
        found = {
            f"{STANDARDISATION}/mean": self.standardisation.mean,
            f"{STANDARDISATION}/variance": self.standardisation.variance,
            f"{STANDARDISATION}/count": np.zeros(()),
            f"{CLASSES}/kernel": self.kernel,
            f"{CLASSES}/bias": self.bias,
        }
        return {name: np.ascontiguousarray(array, np.float32).reshape(array.shape) for name, array in found.items()}

    @classmethod
    def of(cls, model: Model) -> Head:
        """The head of a taught model. Raises ArgumentError where there is none."""
        if model.taught is None or not has_head(model.graph):
            raise ArgumentError(f"{model.name} is no model that hati has taught; teach it with hati.train first")
        with lazy_weights(model).borrowed() as arrays:
            return cls.from_arrays(arrays, model.taught.means, multi_label=model.taught.provenance.multi_label)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], means: Array, *, multi_label: bool) -> Head:
        """From a graph's arrays, copied."""
        mean, variance = (np.array(arrays[f"{STANDARDISATION}/{key}"]) for key in ("mean", "variance"))
        kernel, bias = (np.array(arrays[f"{CLASSES}/{key}"]) for key in ("kernel", "bias"))
        return cls(Standardisation(mean, variance), kernel, bias, means, multi_label)


def softmax(logits: Array) -> Array:
    """(photos, classes) -> the same, positive, of sum 1 for each photo."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def sigmoid(logits: Array) -> Array:
    """(photos, classes) -> the same, each number for itself between 0 and 1."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))


def class_means(z: Array, targets: Array) -> Array:
    """(photos, numbers) and (photos, classes) -> (classes, numbers): the means of unit vectors, of length 1."""
    return unit(targets.T.astype(np.float32) @ unit(z))


def unit(z: Array) -> Array:
    """Every row of length 1; one of zeros stays."""
    lengths = np.linalg.norm(z, axis=-1, keepdims=True)
    return np.asarray(z / np.where(lengths == 0, 1, lengths), np.float32)


def joined(body: Body, head: Head, classes: tuple[str, ...], provenance: Provenance) -> Model:
    """A body and a head as one model."""
    graph = with_head(body.graph, len(classes), multi_label=head.multi_label)
    with body.weights.borrowed() as arrays:
        weights = from_arrays({**arrays, **head.arrays()}, graph)
    return Model(
        graph,
        weights,
        body.preprocessing,
        labels=[Label(name, name) for name in classes],
        size=body.size,
        taught=Taught(provenance, head.means),
    )


def parted(model: Model) -> tuple[Body, Head]:
    """A taught model's body and head. Raises ArgumentError for another model."""
    head = Head.of(model)
    graph = body_of(model.graph)
    return Body(graph, lazy_weights(model).of(graph), model.preprocessing, model.size), head
