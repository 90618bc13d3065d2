"""A pickle machine that can build numbers, strings, lists, tuples, dicts and what its caller allows, and nothing else.

A pickle is a program for a stack machine (opcodes: Python's own `pickletools`). Python's `pickle` runs any function
that the program names; this one knows only the opcodes that tensors need, and calls only functions from its caller's
table.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

from ..errors import WeightsError


class Allowed:
    """A name from the caller's table, on the machine's stack."""

    def __init__(self, build: Callable[..., Any]):
        self.build = build


MARK = object()
VALUES = {  # these push their argument as it is
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
NEW: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: MARK,
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def load(stream: IO[bytes], allowed: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]) -> Any:
    """Run one pickle from the stream; `allowed` is by "module.name", `persistent` turns persistent ids into values."""
    machine = Machine(allowed, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
        return machine.stack.pop()
    except WeightsError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WeightsError(f"its pickle is damaged ({error})") from None


class Machine:
    def __init__(self, allowed: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]):
        self.allowed, self.persistent = allowed, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        stack, memo = self.stack, self.memo
        match opcode:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case _ if opcode in VALUES:
                stack.append(argument)
            case _ if opcode in NEW:
                stack.append(NEW[opcode]())
            case "TUPLE":
                stack.append(tuple(self.since_mark()))
            case _ if opcode in TUPLES:
                stack[-TUPLES[opcode] :] = [tuple(stack[-TUPLES[opcode] :])]
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "APPEND" | "APPENDS":
                values = self.since_mark() if opcode == "APPENDS" else [stack.pop()]
                self.target(list).extend(values)
            case "SETITEM" | "SETITEMS":
                flat = self.since_mark() if opcode == "SETITEMS" else [stack.pop() for _ in range(2)][::-1]
                self.set_items(flat)
            case "GLOBAL":
                stack.append(self.find(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(self.find(module, name))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                if not isinstance(function, Allowed) or not isinstance(arguments, tuple):
                    raise WeightsError("its pickle calls something that is no function")
                stack.append(function.build(*arguments))
            case "BINPERSID":
                stack.append(self.persistent(stack.pop()))
            case "BUILD":
                stack.pop()  # attributes of a container, such as a state dict's _metadata: not arrays
            case _:
                raise WeightsError(f"its pickle uses {opcode}, which no array needs; the file is not opened further")

    def find(self, module: Any, name: Any) -> Allowed:
        full = f"{module}.{name}"
        if full not in self.allowed:
            raise WeightsError(f"its pickle names {full[:80]}; a weights file may build arrays and nothing else")
        return Allowed(self.allowed[full])

    def since_mark(self) -> list[Any]:
        start = max(place for place, value in enumerate(self.stack) if value is MARK)
        values = self.stack[start + 1 :]
        del self.stack[start:]
        return values

    def target(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise WeightsError(f"its pickle fills something that is no {kind.__name__}")
        return self.stack[-1]

    def set_items(self, flat: list[Any]) -> None:
        keys, values = flat[::2], flat[1::2]
        if not all(isinstance(key, str | int) for key in keys):
            raise WeightsError("its pickle has a dict whose keys are not names or numbers")
        self.target(dict).update(zip(keys, values, strict=True))
