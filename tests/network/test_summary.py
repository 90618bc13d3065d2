import re
from pathlib import Path

import pytest

import hati
from hati.errors import GraphError
from hati.network import summary
from hati.network.architectures.resnet import resnet
from hati.network.graph import Graph, Layer
from hati.network.layers import Conv2D, Dense, DepthwiseConv2D, InputLayer, SeparableConv2D
from hati.network.summary import Row, Totals

RENAMED = {"input_1": "input_layer", "probs": "predictions"}  # the chapter's names, and today's in Keras


def chapter_rows(path: Path) -> list[Row]:
    """The rows of the chapter's own print-out: 32, 21, 12 and 33 characters wide, further inputs on lines below."""
    rows: list[Row] = []
    for line in path.read_text().splitlines()[3:]:
        if line.startswith("Total params"):
            break
        if not line.strip("_= "):
            continue
        feed = today(line[65:].strip().removesuffix("[0][0]"))
        if not line[:32].strip():
            rows[-1] = with_input(rows[-1], feed)
            continue
        name, kind = re.match(r"(\S+) \(([A-Za-z0-9]+)", line).groups()  # type: ignore[union-attr]
        shape = tuple(int(size) if size != "None" else None for size in re.findall(r"None|\d+", line[32:53]))
        rows.append(Row(today(name), kind, shape, int(line[53:65]), (feed,) if feed else ()))
    return rows


def with_input(row: Row, feed: str) -> Row:
    return Row(row.name, row.kind, row.output_shape, row.parameters, (*row.inputs, feed))


def today(name: str) -> str:
    return RENAMED.get(name, name)


def test_resnet50_has_every_row_of_the_chapter(shared: Path) -> None:
    expected = chapter_rows(shared / "chapter_resnet50_summary.txt")
    found = summary.rows(resnet(name="resnet50"))
    assert len(found) == len(expected) == 177
    for row, chapter in zip(found, expected, strict=True):
        assert row.kind.startswith(chapter.kind)  # the chapter's table cuts long kinds
        assert (row.name, row.output_shape, row.parameters, row.inputs) == (
            chapter.name,
            chapter.output_shape,
            chapter.parameters,
            chapter.inputs,
        )


def test_resnet50_has_the_totals_of_the_chapter() -> None:
    assert summary.totals(resnet(name="resnet50")) == Totals(25_636_712, 25_583_592, 53_120)


@pytest.mark.parametrize(
    "line",
    [
        r'Model: "resnet50"',
        r"Layer \(type\)\s+Output Shape\s+Param #\s+Connected to",
        r"conv1_conv \(Conv2D\)\s+\(None, 112, 112, 64\)\s+9,472\s+conv1_pad\[0\]\[0\]",
        r"conv2_block1_add \(Add\)\s+\(None, 56, 56, 256\)\s+0\s+conv2_block1_0_bn\[0\]\[0\]\n\s+conv2_block1_3_bn",
        r"Total params: 25,636,712\nTrainable params: 25,583,592\nNon-trainable params: 53,120",
    ],
)
def test_the_text_shows_the_chapters_columns_and_totals(line: str) -> None:
    assert re.search(line, summary.text(resnet(name="resnet50")))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("ResNet50", 3.8e9),  # this and the next three: He et al. 2015
        ("ResNet152", 11.3e9),
        ("VGG16", 15.3e9),
        ("VGG19", 19.6e9),
        ("InceptionV3", 5.72e9),  # Zoph et al. 2018
        ("NASNetMobile", 564e6),
        ("MobileNet", 569e6),  # Howard et al. 2017
        ("MobileNet_0.25_224", 41e6),
        ("MobileNetV2", 300e6),  # Sandler et al. 2018
        ("EfficientNetB0", 0.39e9),  # Tan and Le 2019
    ],
)
def test_multiply_adds_are_those_of_the_papers(name: str, published: float) -> None:
    assert summary.multiply_adds(hati.load(name, weights=None).graph) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Conv2D(8, 3), 8 * 8 * (3 * 3 * 4) * 8),
        (Conv2D(8, 3, padding="same", strides=2), 5 * 5 * (3 * 3 * 4) * 8),
        (Conv2D(8, 3, groups=2), 8 * 8 * (3 * 3 * 2) * 8),
        (DepthwiseConv2D(3, depth_multiplier=2), 8 * 8 * (3 * 3) * 4 * 2),
        (SeparableConv2D(8, 3), 8 * 8 * (3 * 3 * 4 + 4 * 8)),
        (Dense(5), 10 * 10 * 4 * 5),
    ],
    ids=str,
)
def test_each_kind_of_layer_multiplies_at_every_place_of_its_output(layer: Layer, expected: int) -> None:
    assert summary.multiply_adds(Graph(layer(InputLayer((10, 10, 4))()))) == expected


def test_multiply_adds_need_a_known_size() -> None:
    with pytest.raises(GraphError, match="open size"):
        summary.multiply_adds(Graph(Conv2D(8, 3)(InputLayer((None, None, 4))())))
