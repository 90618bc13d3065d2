"""A pickle machine that can build numbers, strings, lists, tuples, dicts and what its caller allows, and nothing else.

A pickle is a program for a stack machine (opcodes: Python's own `pickletools`). Python's `pickle` runs any function
that the program names; this one knows only the opcodes that tensors need, and calls only functions from its caller's
table.
"""

import pickletools
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import IO, Any, Protocol, cast

from ...errors import WeightsError

MOST_STEPS = 1_000_000  # of a program; ten thousand tensors take a third of that
SMALL = 1 << 60  # larger numbers can be made to collide as keys of a dict


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...


class Allowed:
    """A name from the caller's table, on the machine's stack."""

    def __init__(self, build: Callable[..., Any]):
        self.build = build


OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
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
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def load(stream: Stream, allowed: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]) -> Any:
    """Run one pickle from the stream; `allowed` is by "module.name", `persistent` turns persistent ids into values."""
    machine = Machine(allowed, persistent)
    try:
        for _ in range(MOST_STEPS):
            opcode = _next_opcode(stream)
            machine.step(opcode.name, partial(_argument, opcode, stream))
            if opcode.name == "STOP":
                return machine.stack.pop()
    except WeightsError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WeightsError(f"its pickle is damaged or cut short ({error})") from None
    raise WeightsError(f"its pickle has more than {MOST_STEPS:,} steps, which no state dict needs")


def dict_of(pairs: Iterable[tuple[Any, Any]] = ()) -> dict[str | int, Any]:
    """A dict by names or small numbers; Python would hash any other key, whatever that takes."""
    pairs = list(pairs)
    if not all(isinstance(key, str) or (isinstance(key, int) and abs(key) < SMALL) for key, _ in pairs):
        raise WeightsError("its pickle has a dict whose keys are not names or small numbers")
    return dict(pairs)


def _next_opcode(stream: Stream) -> pickletools.OpcodeInfo:
    code = stream.read(1)
    if not code:
        raise WeightsError("its pickle ends too early: it was not copied whole")
    opcode = OPCODES.get(code.decode("latin-1"))
    if opcode is None:
        raise WeightsError(f"its pickle is damaged: there is no opcode {code!r}")
    return opcode


def _argument(opcode: pickletools.OpcodeInfo, stream: Stream) -> Any:
    assert opcode.arg is not None
    return opcode.arg.reader(cast(IO[bytes], stream))


class Machine:
    def __init__(self, allowed: Mapping[str, Callable[..., Any]], persistent: Callable[[Any], Any]):
        self.allowed, self.persistent = allowed, persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []  # the stack's heights at each MARK
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Callable[[], Any]) -> None:
        """One opcode; its argument is read from the file only once the opcode is known to be harmless."""
        stack, memo = self.stack, self.memo
        match opcode:
            case "PROTO" | "FRAME":
                argument()
            case "STOP":
                pass
            case _ if opcode in VALUES:
                stack.append(argument())
            case _ if opcode in NEW:
                stack.append(NEW[opcode]())
            case "MARK":
                self.marks.append(len(stack))
            case "TUPLE":
                stack.append(tuple(self.since_mark()))
            case _ if opcode in TUPLES:
                stack[-TUPLES[opcode] :] = [tuple(stack[-TUPLES[opcode] :])]
            case "BINPUT" | "LONG_BINPUT":
                memo[argument()] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument()])
            case "APPEND" | "APPENDS":
                values = self.since_mark() if opcode == "APPENDS" else [stack.pop()]
                self.target(list).extend(values)
            case "SETITEM" | "SETITEMS":
                flat = self.since_mark() if opcode == "SETITEMS" else [stack.pop() for _ in range(2)][::-1]
                self.target(dict).update(dict_of(zip(flat[::2], flat[1::2], strict=True)))
            case "GLOBAL":
                stack.append(self.find(*argument().split(" ", 1)))
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
        if not isinstance(module, str) or not isinstance(name, str):
            raise WeightsError("its pickle names a function by something that is no name")
        full = f"{module}.{name}"
        if full not in self.allowed:
            raise WeightsError(f"its pickle names {full[:80]}; a weights file may build arrays and nothing else")
        return Allowed(self.allowed[full])

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def target(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise WeightsError(f"its pickle fills something that is no {kind.__name__}")
        return self.stack[-1]
