"""What is told of a choice: its table with ages, its short lines, what a notebook shows."""

from dataclasses import replace

import pytest

from hati.choosing import Bounds, Candidate, Choice
from hati.choosing.reasons import busy
from hati.choosing.report import listed
from hati.tools.machine import Machine
from hati.tools.measuring import Spread

ASKED = "2026-03-04T12:00:00+00:00"
NEW = Spread(0.0031, 0.0023, 0.0035, taken=ASKED)
KEPT = replace(NEW, taken="2026-03-01T11:00:00+00:00")
NOISY = replace(NEW, waited=0.5)
PICK = Candidate("right", 18.8, 75.1, random_weights=False, latency=NEW, compared=True)
OTHER = replace(PICK, name="other", published=None, megabytes=22)


def choice(*latencies: Spread | None) -> Choice:
    found = tuple(
        replace(one, latency=latency) for one, latency in zip((PICK, OTHER), latencies, strict=False) if latency
    )
    return Choice(
        bounds=Bounds(latency=0.01),
        machine=Machine("A <processor>", 2, 0, "Linux", "3.11"),
        photos=None,
        candidates=(*found, replace(PICK, name="slow", latency=None)),
        front=found,
        pick=found[0],
        nearest=(),
        reason="right is right",
        notes=("other: no accuracy is published",),
        asked=ASKED,
    )


def cells(found: Choice) -> list[list[str]]:
    _, headers, _, *rows = listed(found).splitlines()
    return [headers.split(), *(row.split() for row in rows)]


@pytest.mark.parametrize(
    ("latencies", "measured"),
    [
        ((NEW, NEW), None),
        ((KEPT, NEW), ["3 days ago", ""]),
        ((KEPT, NOISY), ["3 days ago", "noisy"]),
        ((NEW, replace(KEPT, waited=0.5)), ["", "3 days ago, noisy"]),
    ],
)
def test_a_figure_that_was_kept_tells_its_age(latencies: tuple[Spread, Spread], measured: list[str] | None) -> None:
    headers, *rows = cells(choice(*latencies))
    assert ("Measured" in headers) == (measured is not None)
    for row, told in zip(rows, measured or ["", ""], strict=True):
        assert " ".join(row).endswith(f"3.1 (2.3–3.5){f' {told}' if told else ''} {row[-2]} here")


def test_its_text_is_the_table_the_reason_and_the_notes() -> None:
    found = choice(NEW, NEW)
    assert found.text().split("\n\n") == [listed(found), "right is right", "other: no accuracy is published"]


def test_everything_is_all_that_was_measured() -> None:
    found = choice(NEW)
    beaten = replace(found, candidates=(*found.candidates, replace(OTHER, name="beaten")))
    assert [len(cells(one)) for one in (found, beaten)] == [2, 2]
    rows = listed(beaten, everything=True).splitlines()[3:]
    assert [name for name in ("right", "beaten", "slow") if name in " ".join(rows)] == ["right", "beaten"]


def test_a_notebook_shows_it_and_a_line_is_short() -> None:
    found = choice(NEW)
    assert repr(found) == "<hati.Choice: right is right>"
    assert "on A &lt;processor&gt;, 2 cores" in found._repr_html_()
    assert repr(PICK) == "<Candidate right: top-1 75.1 %, latency 3.1 ms, size 18.8 MB>"


def test_those_that_are_noisy_are_named() -> None:
    assert [*busy({"quiet": NEW, "unmeasured": None})] == []
    [note] = busy({"quiet": NEW, "loud": NOISY, "unmeasured": None})
    assert note.startswith("this machine was busy with something else while these latencies were taken; ")
    assert note.endswith("the next call takes them again: loud")
