"""A classifier of photos, taught by a person's own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from .. import DEFAULT_MODEL
from ..errors import ArgumentError
from ..loading import ModelLike
from ..network.taught import IMPRINT, PROBE
from ..tools.arrays import Array
from ..transfer.body import Body
from ..transfer.heads import Head, joined, parted
from ..transfer.imprinting import imprint
from ..transfer.origin import name_of, provenance
from ..transfer.probing import probe
from ..transfer.views import views
from .bodies import body_of, loaded_once, see, tagged
from .inputs import photos_of, targets_of

if TYPE_CHECKING:
    from sklearn.utils import Tags


HIGHEST_SEED = 2**31 - 1


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A pretrained network with a classifier of your own classes.

    `model` and `layer` as in ImageFeatures. `method` is "probe", a logistic regression whose strength is
    cross-validated, or "imprint", the mean of each class' photos, of which one will do. `views` of each photo, 1 to 4,
    are learnt from by probing: as it is, mirrored, nearer, nearer and mirrored. `random_state` draws the folds of the
    cross-validation.

    Attributes, once fitted: `classes_`, and `model_`, the hati.Model, which can be saved.
    """

    def __init__(
        self,
        model: ModelLike = DEFAULT_MODEL,
        method: Literal["probe", "imprint"] = "probe",
        views: int = 1,
        layer: str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.model = model
        self.method = method
        self.views = views
        self.layer = layer
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from photos.

        X: photos, as ImageFeatures takes them. y: a label for each, or a matrix (n, classes) of 0 and 1 where a photo
        can have several classes. Raises ArgumentError, another ValueError of scikit-learn's for labels, ImageError for
        a photo that cannot be read.
        """
        if self.method not in (PROBE, IMPRINT):
            raise ArgumentError(f"method is {self.method!r}; it can be {PROBE!r} or {IMPRINT!r}")
        looks = views(self.views if self.method == PROBE else 1)
        photos = photos_of(X)
        classes, targets, multi_label = targets_of(y)
        check_consistent_length(photos, targets)
        body = body_of(self.model, self.layer)
        head, settings = self._learnt(see(body, photos, looks), targets, multi_label)
        self.classes_ = classes
        counts = dict(zip(map(str, classes), map(int, targets.sum(0)), strict=True))
        name = name_of(self.model, loaded_once(self.model))
        told = provenance(name, body, self.method, settings=settings, photos=counts, multi_label=multi_label)
        self.model_ = joined(body, head, tuple(counts), told)
        self._parts = body, Head.of(self.model_)
        return self

    def predict_proba(self, X: Any) -> Array:
        """(n, classes): each row sums to 1, unless a photo can have several classes."""
        check_is_fitted(self)
        body, head = self._parts
        return head.scores(see(body, photos_of(X))[:, 0])

    def predict(self, X: Any) -> Array:
        """The likeliest class of each photo; (n, classes) of 0 and 1 where a photo can have several."""
        scores = self.predict_proba(X)
        if self._parts[1].multi_label:
            return (scores > 0.5).astype(int)
        return np.asarray(self.classes_[scores.argmax(1)])

    def _learnt(self, vectors: Array, targets: Array, multi_label: bool) -> tuple[Head, dict[str, str]]:
        """A head from (photos, views, numbers), and how it came about."""
        if self.method == IMPRINT:
            return imprint(vectors[:, 0], targets, multi_label=multi_label), {}
        seed = int(check_random_state(self.random_state).randint(HIGHEST_SEED))
        found = probe(vectors, targets, multi_label=multi_label, seed=seed, verbose=0)
        return found.head, found.settings

    @cached_property
    def _parts(self) -> tuple[Body, Head]:
        """Of the taught model, ready to run; `fit` has them already, and pickle leaves them out."""
        return parted(self.model_)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_parts"}

    def __sklearn_tags__(self) -> Tags:
        tags = tagged(super().__sklearn_tags__())
        tags.classifier_tags.multi_label = True
        return tags
