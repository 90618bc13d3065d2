"""Draw docs/models.png: every model of the catalog whose accuracy is published, by its size.

python docs/draw_models.py, with matplotlib installed.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from hati.catalog import Entry, entries

OUT = Path(__file__).with_name("models.png")
FAMILIES = {
    "EfficientNetLite": "#e8590c",
    "MobileNetV3": "#1971c2",
    "MobileNetV2": "#339af0",
    "MobileNet": "#a5d8ff",
    "EfficientNetV2": "#2b8a3e",
    "EfficientNet": "#69db7c",
    "ConvNeXt": "#862e9c",
    "NASNet": "#e64980",
    "Inception": "#f08c00",
    "Xception": "#ffc078",
    "DenseNet": "#0b7285",
    "ResNet": "#495057",
    "VGG": "#adb5bd",
}
NAMED = {
    "ResNet50", "VGG16", "InceptionV3", "InceptionResNetV2", "NASNetMobile", "NASNetLarge", "DenseNet121",
    "MobileNet", "MobileNet_0.25_224", "MobileNetV2", "MobileNetV3Small", "EfficientNetLite0", "EfficientNetB0",
    "EfficientNetB7", "EfficientNetV2B0", "EfficientNetV2L", "ConvNeXtTiny", "ConvNeXtXLarge",
}  # fmt: skip
ON_THE_LEFT = {"EfficientNetLite0", "EfficientNetB0", "EfficientNetV2B0", "MobileNetV3Small", "ConvNeXtXLarge"}
INK = "#343a40"


def family(entry: Entry) -> str:
    return next(name for name in FAMILIES if entry.name.startswith(name))


def main() -> None:
    figure, axes = plt.subplots(figsize=(9, 5.5), dpi=120)
    for name, colour in FAMILIES.items():
        members = [(entry, entry.top1) for entry in entries().values() if family(entry) == name and entry.top1]
        places = [(entry.parameters / 1e6, top1) for entry, top1 in members]
        axes.scatter([x for x, _ in places], [y for _, y in places], color=colour, s=28, label=name)
        for (entry, _), place in zip(members, places, strict=True):
            if entry.name in NAMED:
                left = entry.name in ON_THE_LEFT
                offset, side = ((-5, 3), "right") if left else ((5, -8), "left")
                axes.annotate(entry.name, place, offset, textcoords="offset points", ha=side, fontsize=7, color=INK)
    axes.set_xscale("log")
    axes.set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100, 200, 400], ["0.5", *map(str, (1, 2, 5, 10, 20, 50, 100, 200, 400))])
    axes.set(xlabel="parameters, millions", ylabel="top-1 on ImageNet, percent, as published")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, ncols=2, loc="lower right")
    figure.tight_layout()
    figure.savefig(OUT)


if __name__ == "__main__":
    main()
