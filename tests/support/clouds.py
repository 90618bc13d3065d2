"""Vectors as bodies give them, made up."""

import numpy as np

Array = np.ndarray


def vectors(
    classes: int = 3, of_each: int = 12, width: int = 40, seed: int = 0, noise: float = 0.3
) -> tuple[Array, Array]:
    """Clouds of positive numbers, as bodies give them, and which cloud each is of."""
    generator = np.random.default_rng(seed)
    centres = generator.gamma(0.5, 1, (classes, width))
    numbers = np.repeat(np.arange(classes), of_each)
    x = np.abs(centres[numbers] + generator.normal(0, noise, (len(numbers), width))).astype(np.float32)
    return x, np.eye(classes, dtype=bool)[numbers]
