"""How alike two small grey pictures are, once one is stretched and shifted to cover the other.

Gauss-Newton steps over stretch and shift in both directions, with brightness and contrast free (Lucas and Kanade,
"An Iterative Image Registration Technique", 1981).
"""

from __future__ import annotations

import numpy as np

from ..tools.arrays import Array

SIDE = 48  # pixels of a picture
STEPS = 10
FEWEST_STEPS, PROMISING = 3, 0.6  # after so many, pictures that are not so alike yet are two photos
LONGEST_STEP, FARTHEST = 0.1, 0.25  # of half the picture's side
FAINTEST = 0.1  # contrast of one picture in the other, from where there is nothing of it
HOPELESS = 0.3  # correlation, from where no alignment is tried; of photos cut by 5 % at each edge the least was 0.458
PLACES = np.linspace(-1, 1, SIDE, dtype=np.float32)
MIDDLE = np.abs(PLACES) <= 0.8  # of one picture: where the other is still seen when it was cut
AT = PLACES[MIDDLE]


def likeness(x: Array, y: Array) -> Array:
    """(pairs, SIDE, SIDE) twice -> (pairs,): the correlation, -1 to 1, of two at their best, one mirrored or not."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    alike = np.maximum(_both_ways(x, y), _both_ways(x[:, :, ::-1], y))
    return np.where((x == y).all((1, 2)), 1.0, alike)


def _both_ways(x: Array, y: Array) -> Array:
    """Either may be the one that was cut."""
    alike = _correlation(x, y)
    hopeful = alike >= HOPELESS
    x, y = x[hopeful], y[hopeful]
    alike[hopeful] = np.maximum.reduce([alike[hopeful], _aligned(x, y), _aligned(y, x)])
    return alike


def _aligned(x: Array, y: Array) -> Array:
    """The best correlation of the middle of y with a part of x."""
    y = y[:, MIDDLE][:, :, MIDDLE]
    pictures = np.stack([x, *np.gradient(x, PLACES, PLACES, axis=(1, 2))])
    moved, best = np.zeros((len(x), 4), np.float32), np.full(len(x), -1, np.float32)
    going = np.arange(len(x))  # the pairs that are not given up
    for number in range(STEPS):
        stretch, shift = np.split(moved[going, :, np.newaxis], [2], 1)
        across, down = (_between((1 + stretch[:, way]) * AT + shift[:, way]) for way in (0, 1))
        part, downward, rightward = down @ pictures[:, going] @ across.swapaxes(1, 2)
        best[going] = np.maximum(best[going], _correlation(part, y[going]))
        contrast, step = _step(part, rightward, downward, y[going])
        moved[going] = np.clip(moved[going] + np.clip(step, -LONGEST_STEP, LONGEST_STEP), -FARTHEST, FARTHEST)
        going = going[(contrast >= FAINTEST) & ((best[going] >= PROMISING) | (number < FEWEST_STEPS))]
    return best


def _step(part: Array, rightward: Array, downward: Array, y: Array) -> tuple[Array, Array]:
    """y ≈ contrast · (part + gradients · step) + brightness, by least squares; (pairs,) and (pairs, 4)."""
    shown = (part, np.ones_like(part), rightward * AT, downward * AT[:, np.newaxis], rightward, downward)
    a = np.stack(shown, 1).reshape(len(y), len(shown), AT.size**2)
    squares = a @ a.swapaxes(1, 2) + 1e-3 * AT.size**2 * np.eye(len(shown), dtype=np.float32)
    found = np.linalg.solve(squares, a @ y.reshape(len(y), AT.size**2, 1))[:, :, 0]
    return found[:, 0], found[:, 2:] / np.maximum(found[:, :1], 1e-6)


def _between(places: Array) -> Array:
    """(pairs, places) -> (pairs, places, SIDE): the weights of the pixels that a row is interpolated from."""
    at = np.clip((places + 1) / 2 * (SIDE - 1), 0, SIDE - 1)
    return np.maximum(0, 1 - np.abs(at[:, :, np.newaxis] - np.arange(SIDE, dtype=np.float32)))


def _correlation(x: Array, y: Array) -> Array:
    x, y = (z - z.mean((1, 2), keepdims=True) for z in (x, y))
    lengths = np.linalg.norm(x, axis=(1, 2)) * np.linalg.norm(y, axis=(1, 2))
    return np.asarray((x * y).sum((1, 2)) / np.maximum(lengths, 1e-6))
