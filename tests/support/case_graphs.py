"""The cases of `cases` as graphs, with weights and pictures for them."""

import numpy as np
from cases import Case

from hati.network import layers
from hati.network.graph import Graph, Layer, Node, Shape
from hati.network.layers import InputLayer
from hati.network.passes import with_input

Array = np.ndarray
Arrays = dict[str, Array]


def graph_of(case: Case) -> Graph:
    """The case's layer on slices of one picture, so that a graph with one input feeds every shape."""
    picture = InputLayer(case.shapes[0])(name="picture")
    feeds = [feed(picture, shape, f"feed{number}") for number, shape in enumerate(case.shapes)]
    return Graph(case.layer(*feeds, name="layer"))


def feed(picture: Node, shape: Shape, name: str) -> Node:
    if shape == picture.shape:
        return picture
    if shape[:2] == (1, 1):
        return layers.GlobalAveragePooling2D(keepdims=True)(picture, name=name)
    return layers.Conv2D(layers.channels(shape), 1)(picture, name=name)


def some(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    return generator.uniform(0.5, 1.5, shape).astype(np.float32)


def pictures(case: Case, generator: np.random.Generator) -> Array:
    """Two pictures with values around 0; 10 by 13 pixels where the size is open."""
    shape = (2, *(size or open_size for size, open_size in zip(case.shapes[0], (10, 13, 0), strict=False)))
    return some(shape, generator) - 1


def kinds(family: type[Layer] = Layer) -> set[type[Layer]]:
    """Every kind that a network can hold: those that no other kind is built on."""
    members = family.__subclasses__()
    return set.union(*map(kinds, members)) - {InputLayer} if members else {family}


def closed(case: Case) -> tuple[Graph, Arrays, Array]:
    """The case as a graph of known sizes, its weights, and two pictures."""
    generator = np.random.default_rng(0)
    graph = graph_of(case)
    weights = {name: some(shape, generator) for name, shape in graph.weights().items()}
    x = pictures(case, generator)
    return with_input(graph, x.shape[1:]), weights, x
