"""What lies in a kit, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...model import Model, lazy_weights
from ...network.graph import Graph
from ...network.layers import GlobalAveragePooling2D
from ..formats import Format, Order, Precision

GOLDEN = "golden"


@dataclass(frozen=True)
class Contents:
    """A kit that is being filled."""

    folder: Path
    found: Format
    order: Order

    @property
    def model(self) -> Path:
        return self.folder / f"model{self.found.ending}"

    @property
    def features(self) -> Path:
        return self.folder / f"features{self.found.ending}"

    @property
    def golden(self) -> Path:
        return self.folder / GOLDEN

    @property
    def precision(self) -> Precision:
        return self.order.precision

    @property
    def names(self) -> list[str]:
        assert self.order.model.labels is not None, "a kit is refused to a model without a classifier"
        return [label.name for label in self.order.model.labels]

    @cached_property
    def body(self) -> Model:
        """The network without its classifier; of a map, the mean over height and width."""
        model = self.order.model
        graph = model.graph.cut(model.feature_layer)
        if len(graph.output.shape) == 3:
            graph = Graph(GlobalAveragePooling2D()(graph.output, name="head_pooling"), graph.name)
        weights = lazy_weights(model).of(graph)
        return Model(graph, weights, model.preprocessing, labels=None, size=model.size)
