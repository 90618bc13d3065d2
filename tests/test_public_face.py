"""What `import hati` offers: every verb, and every type that a verb takes or gives."""

import inspect
from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

import hati
import hati.engines
from hati import errors

VERBS = [name for name in hati.__all__ if inspect.isfunction(getattr(hati, name))]


def classes_in(hint: Any) -> Iterator[type]:
    """The classes of hati in an annotation."""
    if get_origin(hint) in (Union, UnionType) or get_args(hint):
        for part in get_args(hint):
            yield from classes_in(part)
    if isinstance(hint, type) and hint.__module__.startswith("hati.") and not getattr(hint, "_is_protocol", False):
        yield hint


def hints_of(function: Any) -> list[Any]:
    """Its annotations, among whose names may be some that are imported for the type checker alone."""
    engines = {name: getattr(hati.engines, name) for name in ("Engine", "Precision", "Session")}
    return list(get_type_hints(function, localns=engines).values())


@pytest.mark.parametrize("name", hati.__all__)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(hati, name) is not None
    assert name in dir(hati)


def test_verbs_are_what_people_call() -> None:
    assert {"choose", "evaluate", "export", "list_models", "load", "optimise", "teach", "train"} <= {*VERBS}


@pytest.mark.parametrize("owner", [hati, hati.Model], ids=["hati", "hati.Model"])
def test_every_type_that_is_taken_or_given_is_public(owner: Any) -> None:
    names = VERBS if owner is hati else [name for name in vars(hati.Model) if not name.startswith("_")]
    functions = [one for name in names if inspect.isfunction(one := getattr(owner, name))]
    assert functions
    found = {kind for one in functions for hint in hints_of(one) for kind in classes_in(hint)}
    assert {kind.__name__ for kind in found} <= {*hati.__all__}
    assert all(getattr(hati, kind.__name__) is kind for kind in found)


def test_every_error_and_warning_is_public() -> None:
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {*kinds} <= {*hati.__all__}


@pytest.mark.parametrize("name", ["models", "applications"])
def test_what_was_never_released_is_gone(name: str) -> None:
    assert name not in hati.__all__
    with pytest.raises(AttributeError):
        getattr(hati, name)
