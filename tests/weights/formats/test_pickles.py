"""Programs for the pickle machine, harmless and hostile: none may do more than build numbers, names and containers."""

import io
import pickle
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hati.errors import WeightsError
from hati.weights import reading
from hati.weights.formats import pickles, pytorch

SECONDS, MEGABYTES = 60, 64  # of the processor, a thousand times what a refusal needs, and of memory
PROTOCOL, STOP = b"\x80\x02", b"."


def value(plain: Any) -> bytes:
    """The opcodes that push a plain value."""
    return pickle.dumps(plain, 2)[len(PROTOCOL) : -len(STOP)]


def name(function: str) -> bytes:
    module, _, last = function.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def call(function: str, *arguments: bytes) -> bytes:
    return name(function) + b"(" + b"".join(arguments) + b"tR"


def storage(kind: str = "torch.FloatStorage", key: Any = "0", count: Any = 4) -> bytes:
    return b"(" + value("storage") + name(kind) + value(key) + value("cpu") + value(count) + b"tQ"


def tensor(row: bytes, offset: Any = 0, shape: Any = (4,), strides: Any = (1,)) -> bytes:
    rest = b"".join(map(value, (offset, shape, strides, False))) + call("collections.OrderedDict")
    return call("torch._utils._rebuild_tensor_v2", row, rest)


def state_dict(**entries: bytes) -> bytes:
    return b"}" + b"".join(value(key) + entry + b"s" for key, entry in entries.items())


def legacy(program: bytes, keys: bytes = value(["0"]), numbers: bytes = bytes(16)) -> bytes:
    """A .pth as PyTorch wrote it until 1.5, around one program."""
    head = [value(pytorch.LEGACY_MAGIC), value(1001), value({"little_endian": True})]
    parts = [PROTOCOL + part + STOP for part in [*head, program, keys]]
    return b"".join(parts) + (len(numbers) // 4).to_bytes(8, "little") + numbers


def zipped(program: bytes, numbers: bytes = bytes(16)) -> bytes:
    """A .pth as PyTorch writes it since 1.6, around one program."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", PROTOCOL + program + STOP)
        archive.writestr("archive/data/0", numbers)
    return file.getvalue()


WRAPS = pytest.mark.parametrize("wrap", [legacy, zipped])
Wrap = Callable[[bytes], bytes]


def refusal(path: Path, content: bytes) -> str:
    """What `read` says of a hostile file; it must be quick about it, and take little memory."""
    path.write_bytes(content)
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(WeightsError) as refused:
        reading.read(path)
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < SECONDS
    assert peak < MEGABYTES << 20
    assert str(refused.value).startswith(f"{path}: ")
    assert len(str(refused.value)) < len(str(path)) + 400
    return str(refused.value)


RUN_CODE: dict[str, Callable[[str], bytes]] = {
    "posix.system": lambda canary: call("posix.system", value(f"touch {canary}")),
    "os.system": lambda canary: call("os.system", value(f"touch {canary}")),
    "eval": lambda canary: call("builtins.eval", value(f"open({canary!r}, 'w').close()")),
    "exec": lambda canary: call("builtins.exec", value(f"open({canary!r}, 'w').close()")),
    "Python 2's name": lambda canary: call("__builtin__.eval", value(f"open({canary!r}, 'w').close()")),
    "subprocess": lambda canary: call("subprocess.call", value(["touch", canary])),
    "getattr of __import__": lambda canary: (
        name("builtins.getattr")
        + (b"(" + call("builtins.__import__", value("os")) + value("mkdir") + b"tR")
        + (b"(" + value(canary) + b"tR")
    ),
    "a call among the arguments": lambda canary: call(
        "collections.OrderedDict", b"]" + call("posix.mkdir", value(canary)) + b"0"
    ),
    "a call in a state dict": lambda canary: state_dict(weight=call("posix.mkdir", value(canary))),
    "STACK_GLOBAL": lambda canary: value("posix") + value("mkdir") + b"\x93(" + value(canary) + b"tR",
    "INST": lambda canary: b"(" + value(canary) + b"iposix\nmkdir\n",
    "OBJ": lambda canary: b"(" + name("posix.mkdir") + value(canary) + b"o",
    "NEWOBJ": lambda canary: name("collections.OrderedDict") + b")\x81" + call("posix.mkdir", value(canary)),
    "BUILD": lambda canary: (
        name("functools.partial") + (b"(" + name("posix.mkdir") + b"tR")
        + (b"(" + name("posix.mkdir") + b"(" + value(canary) + b"t" + value({}) + value({}) + b"tb)R")
    ),
}  # fmt: skip


@WRAPS
@pytest.mark.parametrize("trick", RUN_CODE)
def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, wrap: Wrap, trick: str) -> None:
    canary = tmp_path / "canary"
    said = refusal(tmp_path / "hostile.pth", wrap(RUN_CODE[trick](str(canary))))
    assert "may build arrays and nothing else" in said or "which no array needs" in said
    assert not canary.exists()


@pytest.mark.filterwarnings("ignore:.*torch:DeprecationWarning")
@pytest.mark.parametrize("trick", RUN_CODE)
def test_the_same_pickle_runs_code_in_python_itself(tmp_path: Path, trick: str) -> None:
    """Else the test above would show nothing."""
    canary = tmp_path / "canary"
    pickle.loads(PROTOCOL + RUN_CODE[trick](str(canary)) + STOP)
    assert canary.exists()


def nested(depth: int) -> bytes:
    """A tuple in a tuple in a tuple; to hash or to print it needs as deep a stack."""
    return b"(" * depth + b"t" * depth


def doubled(times: int) -> bytes:
    """A tuple that holds itself twice, times over: 2**times leaves when it is printed."""
    return b")" + b"".join(b"q\x00h\x00\x86" for _ in range(times))


def refilled(count: int) -> bytes:
    """Many names for one large number, which would be multiplied with itself."""
    return b"(" + value(1 << 8_000_000) + b"q\x01" + b"h\x01" * count + b"t"


DEEP, DOUBLED = nested(20_000), doubled(60)

MALFORMED = {
    "Popen": (call("subprocess.Popen", value(["true"])), "names subprocess.Popen"),
    "a part of what is allowed": (name("torch._utils._rebuild_tensor_v2.__globals__"), "may build arrays and nothing"),
    "a class of a module that is allowed": (name("collections.UserDict"), "names collections.UserDict"),
    "a class's own name": (value("torch") + value("FloatStorage.__reduce__") + b"\x93", "may build arrays"),
    "EXT1": (b"\x82\x01", "uses EXT1"),
    "EXT2": (b"\x83\x01\x01", "uses EXT2"),
    "EXT4": (b"\x84\x01\x01\x01\x01", "uses EXT4"),
    "NEWOBJ_EX": (name("collections.OrderedDict") + b")}\x92", "uses NEWOBJ_EX"),
    "BYTEARRAY8": (b"\x96" + (1 << 62).to_bytes(8, "little"), "uses BYTEARRAY8"),
    "a buffer from outside": (b"\x97", "uses NEXT_BUFFER"),
    "a persistent id in text": (b"P0\n", "uses PERSID"),
    "a string that Python would warn of": (b"S'\\d'\n", "uses STRING"),
    "an unknown opcode": (b"\xff", "damaged"),
    "a call of a string": (value("posix.system") + b"(" + value("true") + b"tR", "no function"),
    "a call with a list": (name("collections.OrderedDict") + b"]R", "no function"),
    "a call of nothing": (b"R", "damaged"),
    "too many arguments": (call("torch.FloatStorage", value(1), value(2)), "damaged"),
    "a name that is a number": (value(1) + value(2) + b"\x93", "no name"),
    "a name that is endless": (DOUBLED + value("system") + b"\x93", "no name"),
    "no MARK": (b"t", "damaged"),
    "no MARK for a dict": (b"}" + value("a") + b"u", "damaged"),
    "an empty stack": (b"0", "uses POP"),
    "nothing to save": (b"q\x00", "damaged"),
    "nothing saved": (b"h\x07", "damaged"),
    "a far place of the memo": (value(1) + b"r\xff\xff\xff\xffj\xfe\xff\xff\xff", "damaged"),
    "a text longer than the file": (b"X\xff\xff\xff\x7f", "damaged"),
    "a text longer than any file": (b"\x8d" + (1 << 62).to_bytes(8, "little"), "damaged"),
    "bytes longer than any number": (b"\x8e" + b"\xff" * 8, "damaged"),
    "a number of negative length": (b"\x8b\xff\xff\xff\xff", "damaged"),
    "a text of negative length": (b"T\xff\xff\xff\xff", "damaged"),
    "no Unicode": (b"X\x02\x00\x00\x00\xff\xfe", "damaged"),
    "an append to a dict": (b"}" + value(1) + b"a", "no list"),
    "an item of a list": (b"]" + value(1) + value(2) + b"s", "no dict"),
    "an item of a tensor": (tensor(storage()) + value("a") + value(2) + b"s", "no dict"),
    "half an item": (b"}(" + value("a") + b"u", "damaged"),
    "a tuple as a key": (b"}" + value((1, 2)) + value(1) + b"s", "keys are not names"),
    "a list as a key": (b"}" + value([]) + value(1) + b"s", "keys are not names"),
    "a key that cannot be hashed": (b"}" + DEEP + value(1) + b"s", "keys are not names"),
    "the same key in a call": (
        call("collections.OrderedDict", b"](](" + DEEP + value(1) + b"ee"),
        "keys are not names",
    ),
    "keys that collide": (b"}" + value(1 << 61) + value(1) + b"s", "keys are not names"),
    "a call with no pairs": (call("collections.OrderedDict", value([1])), "damaged"),
    "only depth": (DEEP, "no dict of tensors"),
    "lists in lists": (b"]" * 20_000 + b"a" * 19_999, "no dict of tensors"),
    "a list in itself": (b"]q\x00h\x00a", "no dict of tensors"),
    "a state dict in itself": (b"}q\x07" + value("state_dict") + b"h\x07s", "recursion"),
    "no tensors": (value({"epoch": 3}), "without tensors"),
}


@WRAPS
@pytest.mark.parametrize("case", MALFORMED)
def test_a_pickle_that_makes_no_sense_is_refused_with_its_fault(tmp_path: Path, wrap: Wrap, case: str) -> None:
    program, fault = MALFORMED[case]
    assert fault in refusal(tmp_path / "broken.pth", wrap(program))


STORAGES = {
    "a persistent id that is a name": (value("0") + b"Q", "describes no storage"),
    "a short one": (value(("storage",)) + b"Q", "describes no storage"),
    "a number": (value(0) + b"Q", "describes no storage"),
    "an endless one": (DOUBLED + b"Q", "describes no storage"),
    "of a module": (
        b"(" + value("module") + name("torch.FloatStorage") + value("a") + value("b") + b"tQ",
        "no storage",
    ),
    "of no known kind": (value(("storage", "FloatStorage", "0", "cpu", 4)) + b"Q", "describes no storage"),
    "of a kind that is no storage": (storage("torch._utils._rebuild_parameter"), "damaged"),
    "whose key is a number": (storage(key=0), "describes no storage"),
    "whose key is endless": (b"(" + value("storage") + name("torch.FloatStorage") + DOUBLED + b"NNtQ", "no storage"),
    "of a negative count": (storage(count=-1), "describes no storage"),
    "of half a number": (storage(count=0.5), "describes no storage"),
    "of a count that cannot be printed": (storage(count=1 << 80_000), "describes no storage"),
    "longer than the file": (tensor(storage(count=1 << 40)), "tensors need 4,398,046,511,104"),
    "in two ways": (state_dict(a=tensor(storage()), b=tensor(storage("torch.LongStorage", count=2))), "in two ways"),
}


@WRAPS
@pytest.mark.parametrize("case", STORAGES)
def test_what_is_no_storage_is_refused(tmp_path: Path, wrap: Wrap, case: str) -> None:
    program, fault = STORAGES[case]
    program = program if program.startswith(b"}") else state_dict(weight=program)
    assert fault in refusal(tmp_path / "broken.pth", wrap(program))


TENSORS: dict[str, tuple[bytes, str]] = {
    "of no storage": (call("torch._utils._rebuild_tensor_v2", *map(value, (1, 0, (4,), (1,)))), "describes no tensor"),
    "of too few arguments": (call("torch._utils._rebuild_tensor_v2", storage()), "damaged"),
    "longer than its storage": (tensor(storage(), shape=(5,)), "reaches past the end"),
    "that starts too late": (tensor(storage(), offset=1), "reaches past the end"),
    "of too long a stride": (tensor(storage(), shape=(2,), strides=(4,)), "reaches past the end"),
    "of a negative stride": (tensor(storage(), strides=(-1,)), "impossible shape"),
    "of a negative offset": (tensor(storage(), offset=-1), "impossible shape"),
    "of a negative size": (tensor(storage(), shape=(-4,)), "impossible shape"),
    "of half a size": (tensor(storage(), shape=(0.5,)), "impossible shape"),
    "of one stride too many": (tensor(storage(), strides=(1, 1)), "impossible shape"),
    "of 40 axes": (tensor(storage(), shape=(1,) * 40, strides=(1,) * 40), "impossible shape"),
    "of a list for a shape": (tensor(storage(), shape=[4]), "describes no tensor"),
    "of one number everywhere": (tensor(storage(), shape=(1 << 20, 1 << 20), strides=(0, 0)), "too many to be true"),
    "of more numbers than there are": (
        tensor(storage(), shape=(1 << 47,) * 9, strides=(0,) * 9),
        "too many to be true",
    ),
    "of sizes that take an hour to multiply": (
        call("torch._utils._rebuild_tensor_v2", storage(), value(0), refilled(1000), refilled(1000)),
        "impossible shape",
    ),
}


@WRAPS
@pytest.mark.parametrize("case", TENSORS)
def test_what_is_no_tensor_is_refused(tmp_path: Path, wrap: Wrap, case: str) -> None:
    program, fault = TENSORS[case]
    assert fault in refusal(tmp_path / "broken.pth", wrap(state_dict(weight=program)))


@WRAPS
def test_one_storage_under_very_many_names_is_refused(tmp_path: Path, wrap: Wrap) -> None:
    one = tensor(storage(), shape=(1 << 20,), strides=(0,)) + b"q\x05"
    many = b"".join(value(f"{number}") + b"h\x05s" for number in range(1000))
    said = refusal(tmp_path / "bomb.pth", wrap(b"}" + value("first") + one + b"s" + many))
    assert "claims tensors of 4,198,498,304, too many to be true" in said


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (value([]), "does not fit its tensors"),
        (value(["1"]), "does not fit its tensors"),
        (value("0"), "no list of names"),
        (value([0]), "no list of names"),
        (DOUBLED, "no list of names"),
        (b"]" + DOUBLED + b"a", "no list of names"),
    ],
    ids=["none", "another", "a name", "a number", "endless", "an endless one"],
)
def test_a_list_of_storages_that_does_not_fit_is_refused(tmp_path: Path, keys: bytes, fault: str) -> None:
    assert fault in refusal(tmp_path / "broken.pth", legacy(state_dict(weight=tensor(storage())), keys))


@WRAPS
def test_the_pickles_of_these_tests_are_sound(tmp_path: Path, wrap: Wrap) -> None:
    """What is refused above is refused for its one fault."""
    path = tmp_path / "sound.pth"
    path.write_bytes(wrap(state_dict(weight=tensor(storage()))))
    named = reading.read(path)
    assert isinstance(named, dict)
    assert named["weight"].tolist() == [0, 0, 0, 0]


def test_a_program_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MOST_STEPS", 1000)
    with pytest.raises(WeightsError, match="more than 1,000 steps"):
        load(b"N" * 1001 + STOP)
    assert load(b"N" * 999 + STOP) is None


def test_a_program_that_breaks_off_was_not_copied_whole() -> None:
    with pytest.raises(WeightsError, match="not copied whole"):
        load(b"N")


def load(program: bytes) -> Any:
    return pickles.load(io.BytesIO(program), {}, lambda identity: ("persistent", identity))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(-(1 << 59), 1 << 59), inner)
    ),
)


@settings(max_examples=150)
@given(PLAIN, st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_out_as_python_reads_them(plain: Any, protocol: int) -> None:
    assert load(pickle.dumps(plain, protocol)) == plain


@settings(max_examples=50)
@given(st.binary(), st.integers(3, pickle.HIGHEST_PROTOCOL))
def test_bytes_come_out_as_python_reads_them(plain: bytes, protocol: int) -> None:
    assert load(pickle.dumps(plain, protocol)) == plain


def test_only_allowed_names_are_called_and_with_the_pickles_arguments() -> None:
    program = call("shop.pair", value(1), value("two")) + STOP
    assert pickles.load(io.BytesIO(program), {"shop.pair": lambda *w: w}, lambda identity: None) == (1, "two")


def test_a_persistent_id_becomes_what_the_caller_makes_of_it() -> None:
    assert load(value("0") + b"Q" + STOP) == ("persistent", "0")
