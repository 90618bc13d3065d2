"""What can be read from a shape."""

from ...errors import GraphError
from ..graph import Shape, WeightShape


def known(shape: Shape) -> WeightShape:
    """The shape itself, once it is sure that no size in it is open."""
    sizes = tuple(size for size in shape if size is not None)
    if len(sizes) < len(shape):
        raise GraphError(f"{shape} has an open size; give the network an input_shape with a height and a width")
    return sizes


def channels(shape: Shape) -> int:
    return known(shape[-1:])[0]
