"""Photos of textures that any network tells apart, sorted into folders as a person would."""

from pathlib import Path

import numpy as np
from PIL import Image

TEXTURES = ("checks", "dots", "stripes", "waves")


def texture(kind: str, number: int, side: int = 96) -> Image.Image:
    """One picture of its kind; every number gives another one."""
    generator = np.random.default_rng([TEXTURES.index(kind), number])
    y, x = np.mgrid[:side, :side] + generator.integers(0, 16, (2, 1, 1))
    step = int(generator.integers(6, 10))
    match kind:
        case "checks":
            pattern = (x // step + y // step) % 2
        case "dots":
            pattern = (x % (2 * step) - step) ** 2 + (y % (2 * step) - step) ** 2 < (step / 2) ** 2
        case "stripes":
            pattern = x // step % 2
        case _:
            pattern = np.sin(y / step + 2 * np.sin(x / step)) > 0
    first, second = generator.integers(0, 256, (2, 3))
    noise = generator.normal(0, 12, (side, side, 3))
    return Image.fromarray(np.clip(np.where(pattern[..., None], first, second) + noise, 0, 255).astype(np.uint8))


def sort_photos(folder: Path, counts: dict[str, int], start: int = 0) -> Path:
    """A folder with one folder for each texture."""
    for kind, count in counts.items():
        (folder / kind).mkdir(parents=True)
        for number in range(start, start + count):
            texture(kind, number).save(folder / kind / f"{number}.png")
    return folder
