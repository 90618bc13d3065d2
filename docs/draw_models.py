"""Draw docs/models.png: every model of the catalog whose accuracy is published, by its size.

python docs/draw_models.py, with matplotlib installed.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hati.catalog import Entry, entries
from hati.tools import pictures
from hati.tools.pictures import GREY, GRID, INK, Dot

OUT = Path(__file__).with_name("models.png")
BLUE, SKY, GREEN, ORANGE, RED, PINK = (
    "#0072b2",
    "#56b4e9",
    "#009e73",
    "#e69f00",
    "#d55e00",
    "#cc79a7",
)  # Okabe and Ito's
FAMILIES = {  # a colour and a shape, of which one at least differs where families meet; the longer names first
    "EfficientNetLite": (RED, "o"),
    "EfficientNetV2": (ORANGE, "s"),
    "EfficientNet": (GREEN, "o"),
    "MobileNetV3": (INK, "D"),
    "MobileNetV2": (BLUE, "^"),
    "MobileNet": (SKY, "s"),
    "ConvNeXt": (PINK, "o"),
    "NASNet": (RED, "v"),
    "Inception": (BLUE, "P"),
    "Xception": (BLUE, "X"),
    "DenseNet": (GREEN, "^"),
    "ResNet": (GREY, "s"),
    "VGG": (GREY, "D"),
}
NAMED = (
    "EfficientNetLite0", "ResNet50", "VGG16", "InceptionV3", "InceptionResNetV2", "Xception", "NASNetMobile",
    "NASNetLarge", "DenseNet121", "MobileNet", "MobileNet_0.25_224", "MobileNetV2", "MobileNetV3Small",
    "EfficientNetB0", "EfficientNetB7", "EfficientNetV2B0", "EfficientNetV2L", "ConvNeXtTiny", "ConvNeXtXLarge",
)  # fmt: skip
MILLIONS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 400)
AREA = 34.0  # of a dot, in square points


def family(entry: Entry) -> str:
    return next(name for name in FAMILIES if entry.name.startswith(name))


def main() -> None:
    shown = [entry for entry in entries().values() if entry.top1]
    figure = Figure(figsize=(9.5, 5.6), dpi=144)
    axes = figure.add_axes((0.06, 0.09, 0.93, 0.89))
    scale(axes)
    for name in FAMILIES:
        draw(axes, name, [entry for entry in shown if family(entry) == name])
    dots = {entry.name: Dot(entry.parameters / 1e6, entry.top1 or 0, (AREA / 3.1416) ** 0.5) for entry in shown}
    pictures.write_names(axes, NAMED, dots, {NAMED[0]: {"fontweight": "bold", "color": RED}})
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower right", labelcolor=INK)
    pictures.write(figure, OUT)


def scale(axes: Any) -> None:
    axes.set_xscale("log")
    axes.set_xlim(0.42, 430)
    axes.set_ylim(40, 89)
    axes.set_xticks(MILLIONS, [f"{million:g}" for million in MILLIONS])
    axes.minorticks_off()
    axes.tick_params(labelsize=8.5, length=0, colors=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("parameters, millions", fontsize=9, color=INK)
    axes.set_ylabel("top-1 on ImageNet, percent, as published", fontsize=9, color=INK)


def draw(axes: Any, name: str, members: Iterable[Entry]) -> None:
    colour, shape = FAMILIES[name]
    places = [(entry.parameters / 1e6, entry.top1) for entry in members]
    x, y = zip(*places, strict=True)
    axes.scatter(x, y, s=AREA, color=colour, marker=shape, edgecolor="white", linewidth=0.5, label=name, zorder=3)


if __name__ == "__main__":
    with pictures.style():
        main()
