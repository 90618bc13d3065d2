"""What float16 can hold."""

import numpy as np

from ..errors import ArgumentError

LARGEST = float(np.finfo(np.float16).max)


def check(name: str, array: np.ndarray) -> None:
    """Raises ArgumentError where an array of floats has larger numbers."""
    if array.dtype == np.float32 and array.size and (highest := float(np.abs(array).max())) > LARGEST:
        raise ArgumentError(f"{name} has weights up to {highest:.3g}; float16 ends at {LARGEST:.0f}: take float32")
