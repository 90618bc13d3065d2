"""Preprocessing as layers of a network: out of it, in RGB, or into it, so that it takes pixels as they are."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..network.graph import Graph, Node
from ..network.layers import Conv2D, InputLayer, Rescaling, ZeroPadding2D
from ..network.passes import Derived
from ..tools.arrays import Array
from . import Normalisation

Arrays = Mapping[str, Array]

PREPROCESSING = "preprocessing"  # the layer that brings pixels to what the network was trained on
RED_GREEN_BLUE = "red_green_blue"  # and the one that turns them round where a network wants BGR


def on_rgb(graph: Graph, arrays: Arrays, normalisation: Normalisation) -> tuple[Graph, Arrays, Normalisation]:
    """The same network, and its normalisation, for pictures whose channels are red, green, blue.

    A network for BGR gets the channels of its first kernel in the other order, which costs nothing.
    """
    if not normalisation.bgr:
        return graph, arrays, normalisation
    deviation = normalisation.deviation
    turned = replace(
        normalisation,
        bgr=False,
        mean=normalisation.mean[::-1],
        deviation=deviation[::-1] if deviation is not None else None,
    )
    readers = _readers(graph)
    if not readers or not all(isinstance(node.layer, Conv2D) and node.layer.groups == 1 for node in readers):
        return *_turned_by_a_layer(graph, arrays), turned
    derived = Derived(arrays)
    for node in readers:
        derived.derive(f"{node.name}/kernel", lambda kernel: np.ascontiguousarray(kernel[:, :, ::-1]))
    return graph, derived, turned


def on_pixels(graph: Graph, arrays: Arrays, normalisation: Normalisation) -> tuple[Graph, Arrays]:
    """The same network for RGB pixels from 0 to 255: their normalisation is its first layer.

    graph, arrays, normalisation: as `on_rgb` leaves them.
    """
    black, white = (normalisation(np.full((1, 1, 3), value)).reshape(3) for value in (0.0, 255.0))
    scale, offset = tuple(((white - black) / 255).tolist()), tuple(black.tolist())
    if (scale, offset) == ((1.0,) * 3, (0.0,) * 3):
        return graph, arrays
    uniform = len(set(scale)) == len(set(offset)) == 1
    layer = Rescaling(scale[0], offset[0]) if uniform else Rescaling(scale, offset)

    def step(node: Node, x: list[Node]) -> Node:
        new = node.layer(*x, name=node.name)
        return new if x else layer(new, name=PREPROCESSING)

    return Graph(graph.fold(step)[graph.output.name], graph.name), arrays


def _readers(graph: Graph) -> list[Node]:
    """The layers that see the picture first, whatever edge is put round it before."""
    edges = {node.name for node in graph.nodes if isinstance(node.layer, InputLayer | ZeroPadding2D)}
    plain = {graph.input.name}
    for node in graph.nodes[1:]:
        if node.name in edges and node.inputs[0].name in plain:
            plain.add(node.name)
    return [node for node in graph.nodes if node.name not in plain and any(x.name in plain for x in node.inputs)]


def _turned_by_a_layer(graph: Graph, arrays: Arrays) -> tuple[Graph, Arrays]:
    """A 1×1 convolution that swaps red and blue, for networks that begin with anything but a convolution."""
    swap = np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3)

    def step(node: Node, x: list[Node]) -> Node:
        new = node.layer(*x, name=node.name)
        return new if x else Conv2D(3, 1, use_bias=False)(new, name=RED_GREEN_BLUE)

    turned = Graph(graph.fold(step)[graph.output.name], graph.name)
    return turned, {**arrays, f"{RED_GREEN_BLUE}/kernel": np.ascontiguousarray(swap)}
