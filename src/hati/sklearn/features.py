"""Photos to vectors, as a step of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from .. import DEFAULT_MODEL
from ..loading import ModelLike
from ..tools.arrays import Array
from ..transfer.body import Body
from .bodies import body_of, see, tagged
from .inputs import photos_of

if TYPE_CHECKING:
    from sklearn.utils import Tags


class ImageFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What a pretrained network sees in photos, as numbers.

    `model` is a name of the catalog, the path of a .safetensors file, a hati.Model, or what hati.train gives. `layer`
    names another layer than the one that the model's own classifier takes; where it gives a map, `pooling` over height
    and width is "avg" or "max", or None to lay the map out flat. JPEGs much larger than the network needs are decoded
    at a part of their size, as `hati.Model` decodes them, unless `every_pixel` is asked for.

    There is nothing to learn: `transform` works without `fit`. The vectors of files are kept in hati's cache by the
    files' content, so that a grid search over what comes behind looks at each photo once.

    Attributes, once fitted: `n_features_out_`, how many numbers a photo gives.
    """

    def __init__(
        self,
        model: ModelLike = DEFAULT_MODEL,
        layer: str | None = None,
        pooling: Literal["avg", "max"] | None = "avg",
        every_pixel: bool = False,
    ):
        self.model = model
        self.layer = layer
        self.pooling = pooling
        self.every_pixel = every_pixel

    def fit(self, X: Any, y: object = None) -> Self:
        """Check the settings and the container of photos; no photo is opened.

        Raises ArgumentError, UnknownModel, or GraphError for a layer that is not there.
        """
        photos_of(X)
        self.n_features_out_ = self._body().width
        return self

    def transform(self, X: Any) -> Array:
        """(n, numbers) float32.

        X: paths, PIL images or arrays, in a list, an array of objects or a column of a table; or one array
        (n, height, width, 3), 0–255 RGB. Raises ImageError for a photo that cannot be read, and says which.
        """
        return see(self._body(), photos_of(X), every_pixel=self.every_pixel)[:, 0]

    def get_feature_names_out(self, input_features: object = None) -> Array:
        """imagefeatures0, imagefeatures1, … by scikit-learn's custom."""
        name = type(self).__name__.lower()
        return np.array([f"{name}{number}" for number in range(self._body().width)], object)

    def _body(self) -> Body:
        return body_of(self.model, self.layer, self.pooling)

    def __sklearn_tags__(self) -> Tags:
        tags = tagged(super().__sklearn_tags__())
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags
