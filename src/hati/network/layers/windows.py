"""Windows that slide over a map: their sizes, their steps, and the zeros round the map.

A `Pair` is one number for both directions or (vertical, horizontal).
"""

from typing import Literal

from ...errors import GraphError
from ..graph import Shape, Size
from ..settings import Count, Pixels
from .shapes import known

Pair = Count | tuple[Count, Count]
Pads = tuple[tuple[Pixels, Pixels], tuple[Pixels, Pixels]]  # ((top, bottom), (left, right))
Padding = Literal["valid", "same"] | Pads


def pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def slide(shape: Shape, window: Pair, strides: Pair, padding: Padding) -> tuple[Size, Size]:
    """The height and width that a window makes when it slides over a map."""
    height, width, _ = shape
    pads = padding_pixels(shape, window, strides, padding)
    ((tall, wide), (down, right)) = pair(window), pair(strides)
    if pads is None:  # "same" over an open size
        return (height and -(-height // down), width and -(-width // right))
    return (_steps(height, tall, down, sum(pads[0])), _steps(width, wide, right, sum(pads[1])))


def padding_pixels(shape: Shape, window: Pair, strides: Pair, padding: Padding) -> Pads | None:
    """What a window's padding adds to a map, in pixels; None where it depends on a size that is open.

    "same" makes ceil(size / stride) windows and puts an odd pixel at the end, as TensorFlow does.
    """
    if padding == "valid":
        return ((0, 0), (0, 0))
    if padding != "same":
        return padding
    if None in shape[:2]:
        return None
    height, width, _ = known(shape)
    ((tall, wide), (down, right)) = pair(window), pair(strides)
    return (_same(height, tall, down), _same(width, wide, right))


def _same(size: int, window: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return (total // 2, total - total // 2)


def _steps(size: Size, window: int, stride: int, pad: int) -> Size:
    if size is None:
        return None
    if size + pad < window:
        raise GraphError(f"a window of {window} does not fit in {size} + {pad} pixels")
    return (size + pad - window) // stride + 1
