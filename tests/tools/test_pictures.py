"""Names in a picture: none covers another one, or a dot."""

from itertools import combinations

import pytest

from hati.tools.pictures import Dot, write_names

pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib, the extra plots")
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

CROWDED = {f"name {number}": Dot(5 + number % 3 * 0.3, 5 + number // 3 * 0.3, 4) for number in range(9)}
CORNERS = {f"corner {x}{y}": Dot(x, y, 4) for x in (0, 10) for y in (0, 10)}


@pytest.mark.parametrize("dots", [CROWDED, CORNERS, CROWDED | CORNERS], ids=["crowded", "corners", "both"])
def test_no_name_covers_another_one_or_a_dot_or_leaves_the_picture(dots: dict[str, Dot]) -> None:
    figure = Figure(figsize=(5, 4), dpi=100)
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8), xlim=(-1, 11), ylim=(-1, 11))
    write_names(axes, dots, dots)
    figure.draw_without_rendering()
    names = [child for child in axes.get_children() if isinstance(child, Annotation)]
    boxes = [Text.get_window_extent(child) for child in names]
    assert [child.get_text() for child in names] == [*dots]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    middles = [axes.transData.transform((dot.x, dot.y)) for dot in dots.values()]
    assert not [box for box in boxes for middle in middles if box.contains(*middle)]
    assert all(axes.bbox.containsx(edge) for box in boxes for edge in (box.x0, box.x1))


def test_a_name_can_have_a_style_of_its_own() -> None:
    axes = Figure().add_axes((0, 0, 1, 1))
    dots = {"one": Dot(0.2, 0.2, 3), "two": Dot(0.8, 0.8, 3)}
    write_names(axes, dots, dots, {"two": {"color": "red"}})
    names = [child for child in axes.get_children() if isinstance(child, Annotation)]
    assert [child.get_color() == "red" for child in names] == [False, True]
