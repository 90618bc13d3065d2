"""A dataclass' fields by the types that they declare: what fits is taken, what means nothing is refused."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache, partial
from numbers import Real
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ..errors import GraphError

Reader = Callable[[Any], Any]

MOST_KNOWN = 4096  # settings of layers that are remembered
LARGEST = 1 << 24  # of a whole number: filters, pixels, units
LARGEST_FRACTION = 1e30  # that a number ends before; infinity does not


@dataclass(frozen=True)
class Within:
    """The ends of a number's range, both in it."""

    lowest: float
    highest: float | None = None

    def __contains__(self, value: float) -> bool:
        return self.lowest <= value and (self.highest is None or value <= self.highest)

    def __str__(self) -> str:
        return f"from {self.lowest:g} on" if self.highest is None else f"from {self.lowest:g} to {self.highest:g}"


Count = Annotated[int, Within(1)]
Pixels = Annotated[int, Within(0)]
Share = Annotated[float, Within(0, 1)]
NotNegative = Annotated[float, Within(0)]


def fitted(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """A dataclass' fields as it keeps them: every kind of whole number an int, lists tuples. Raises GraphError."""
    try:
        found = _known_to_fit(kind, tuple(values), *values.values())
    except TypeError:  # a list in them, which has no hash
        found = _each_fitted(kind, tuple(values), *values.values())
    return dict(zip(values, found, strict=True))


def _each_fitted(kind: Any, names: tuple[str, ...], *values: Any) -> tuple[Any, ...]:
    readers, found = _readers(kind), []
    for name, value in zip(names, values, strict=True):
        try:
            found.append(readers[name](value))
        except ValueError:
            expected = _described(types_of(kind)[name])
            raise GraphError(f"{kind.__name__}.{name} is {value!r:.80}; {expected} was expected") from None
    return tuple(found)


_known_to_fit = lru_cache(MOST_KNOWN, typed=True)(_each_fitted)  # a network has few settings, many times


@cache
def types_of(kind: Any) -> dict[str, Any]:
    """The types of a dataclass' fields."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _readers(kind: Any) -> dict[str, Reader]:
    return {name: _reader(hint) for name, hint in types_of(kind).items()}


def _reader(hint: Any) -> Reader:
    """What gives a value as the type has it, and raises ValueError for one that does not fit."""
    match get_origin(hint), get_args(hint):
        case origin, (plain, within) if origin is Annotated:
            return partial(_within, _reader(plain), within)
        case origin, options if origin in (Union, UnionType):
            return partial(_one_of, tuple(map(_reader, options)))
        case origin, options if origin is Literal:
            return partial(_known, options)
        case origin, (part, end) if origin is tuple and end is ...:
            return partial(_many, _reader(part))
        case origin, parts if origin is tuple:
            return partial(_several, tuple(map(_reader, parts)))
    return PLAIN.get(hint, partial(_exactly, hint))


def _whole(value: Any) -> int:
    """NumPy's whole numbers are ints, too; a truth is none."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        raise ValueError from None
    if not 0 <= number <= LARGEST:
        raise ValueError
    return number


def _real(value: Any) -> float:
    """An int stays one: 6 and 6.0 are the same setting, and files keep what was written."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError
    number = value if isinstance(value, int) else float(value)
    if not abs(number) < LARGEST_FRACTION:
        raise ValueError
    return number


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError
    return value


PLAIN: dict[Any, Reader] = {int: _whole, float: _real}  # all others are just of their own type


def _within(plain: Reader, within: Within, value: Any) -> Any:
    number = plain(value)
    if number not in within:
        raise ValueError
    return number


def _one_of(options: tuple[Reader, ...], value: Any) -> Any:
    for option in options:
        try:
            return option(value)
        except ValueError:
            continue
    raise ValueError


def _known(options: tuple[Any, ...], value: Any) -> Any:
    for option in options:
        if type(value) is type(option) and value == option:
            return option
    raise ValueError


def _many(part: Reader, value: Any) -> tuple[Any, ...]:
    return tuple(map(part, _parts(value)))


def _several(parts: tuple[Reader, ...], value: Any) -> tuple[Any, ...]:
    return tuple(part(one) for part, one in zip(parts, _parts(value), strict=True))


def _parts(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError
    return value


def _described(hint: Any) -> str:
    match get_origin(hint), get_args(hint):
        case origin, (plain, within) if origin is Annotated:
            return f"{_described(plain)} {within}"
        case origin, options if origin in (Union, UnionType):
            return " or ".join(map(_described, options))
        case origin, options if origin is Literal:
            return " or ".join(map(repr, options))
        case origin, (part, end) if origin is tuple and end is ...:
            return f"a tuple of {_described(part)}"
        case origin, parts if origin is tuple:
            return f"({', '.join(map(_described, parts))})"
    words = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", type(None): "None"}
    return words.get(hint, getattr(hint, "__name__", ""))
