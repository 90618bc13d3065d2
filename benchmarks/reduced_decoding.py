"""Whether answers stay when large JPEGs are decoded at a part of their size: photos enlarged, named both ways.

python benchmarks/reduced_decoding.py FOLDER [--model NAME] [--weights FILE]
"""

import io
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
from PIL import Image

import hati
from hati import photos
from hati.model import Model
from hati.tools.machine import cores
from hati.tools.tables import table

SIDES = (1000, 1200, 1600, 2000, 2400, 3000, 3200, 4000)  # pixels
HEADERS = ("Enlarged to", "Decoded at", "Same name", "Mean shift", "Largest", "Whole", "Part")


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--model", "name", default=hati.DEFAULT_MODEL)
@click.option("--weights", default="imagenet")
def main(folder: Path, name: str, weights: str) -> None:
    model, paths = hati.load(name, weights), sorted(folder.glob("*.jpg"))
    print(f"{model.name}, {len(paths)} photos")
    print(table(HEADERS, [row(model, paths, side) for side in SIDES], right=(1, 2, 3, 4, 5, 6)))


def row(model: Model, paths: Sequence[Path], side: int) -> tuple[str, ...]:
    needed = model.preprocessing.needed(model.size)

    def both_ways(path: Path) -> tuple[np.ndarray, np.ndarray, float, float, int]:
        data = enlarged(path, side)
        start = time.perf_counter()
        whole = model.preprocessing(photos.read(data), model.size)
        middle = time.perf_counter()
        decoded = photos.read(data, needed=needed)
        part = model.preprocessing(decoded, model.size)
        return whole, part, middle - start, time.perf_counter() - middle, decoded.width

    with ThreadPoolExecutor(cores()) as pool:
        wholes, parts, slow, quick, widths = zip(*pool.map(both_ways, paths), strict=True)
    whole, part = (model.predict(np.stack(pictures), verbose=0) for pictures in (wholes, parts))
    shift = np.abs(whole - part).max(1)
    return (
        f"{side}×{side}",
        f"{widths[0]}×{widths[0]}",
        f"{(whole.argmax(1) == part.argmax(1)).mean():.4f}",
        f"{shift.mean():.4f}",
        f"{shift.max():.4f}",
        *(f"{1000 * statistics.median(times):.1f} ms" for times in (slow, quick)),
    )


def enlarged(path: Path, side: int) -> bytes:
    file = io.BytesIO()
    Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


if __name__ == "__main__":
    main()
