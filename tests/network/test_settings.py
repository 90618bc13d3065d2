"""Settings by their types: what fits, how it is kept, and what is said of the rest."""

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import pytest

from hati.errors import GraphError
from hati.network.settings import Count, NotNegative, Pixels, Share, fitted, types_of


@dataclass(frozen=True)
class Inner:
    number: int


@dataclass(frozen=True)
class Record:
    count: Count = 1
    edge: Pixels = 0
    share: Share = 0.5
    weight: NotNegative = 1.0
    shift: float = 0.0
    pair: Count | tuple[Count, Count] = 1
    many: tuple[Count | None, ...] = ()
    kind: Literal["valid", "same"] = "valid"
    flag: bool = False
    text: str = ""
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("count", 1, 1),
        ("count", np.int64(7), 7),
        ("count", np.uint8(7), 7),
        ("count", np.array(7), 7),
        ("edge", 0, 0),
        ("share", 1, 1),
        ("share", np.float32(0.25), 0.25),
        ("weight", np.int16(3), 3.0),
        ("shift", -2.5, -2.5),
        ("pair", [2, np.int32(3)], (2, 3)),
        ("pair", 2, 2),
        ("many", [None, 4], (None, 4)),
        ("many", [], ()),
        ("kind", "same", "same"),
        ("flag", True, True),
        ("text", "হাতি", "হাতি"),
        ("inner", Inner(3), Inner(3)),
        ("inner", None, None),
    ],
)
def test_a_value_is_kept_as_its_type_has_it(name: str, given: Any, kept: Any) -> None:
    found = fitted(Record, {name: given})
    assert repr(found) == repr({name: kept})


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("count", 0, "a whole number from 1 on"),
        ("count", -1, "a whole number from 1 on"),
        ("count", 2.0, "a whole number from 1 on"),
        ("count", True, "a whole number from 1 on"),
        ("count", "7", "a whole number from 1 on"),
        ("count", None, "a whole number from 1 on"),
        ("count", np.array([7, 8]), "a whole number from 1 on"),
        ("count", 10**400, "a whole number from 1 on"),
        ("edge", -1, "a whole number from 0 on"),
        ("share", 1.5, "a number from 0 to 1"),
        ("share", float("nan"), "a number from 0 to 1"),
        ("weight", -0.1, "a number from 0 on"),
        ("shift", float("-inf"), "a number"),
        ("shift", True, "a number"),
        ("shift", 1j, "a number"),
        ("pair", (1, 0), r"a whole number from 1 on or \(a whole number from 1 on, a whole number from 1 on\)"),
        ("pair", (1, 1, 1), "a whole number from 1 on or"),
        ("many", (4, 0), "a tuple of a whole number from 1 on or None"),
        ("many", "44", "a tuple of"),
        ("kind", "full", "'valid' or 'same'"),
        ("flag", 1, "True or False"),
        ("text", b"", "a text"),
        ("inner", {"number": 3}, "Inner or None"),
    ],
    ids=lambda case: str(case)[:30],
)
def test_what_does_not_fit_is_named_with_what_would(name: str, given: Any, expected: str) -> None:
    with pytest.raises(GraphError, match=rf"^Record\.{name} is .*; {expected}.* was expected$"):
        fitted(Record, {name: given})


def test_every_default_fits_its_type() -> None:
    assert list(types_of(Record)) == [field.name for field in fields(Record)]
    assert Record(**fitted(Record, vars(Record()))) == Record()
