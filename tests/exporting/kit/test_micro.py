"""`model.h`: a C compiler takes it, TFLite Micro runs it, and the arena it names is enough and little more."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import micro_networks
import numpy as np
import pytest
from micro_networks import NETWORKS, Needing

from hati.engines.quantisation import LEVELS
from hati.engines.tflite import translation
from hati.engines.tflite.file.reading import read
from hati.engines.tflite.file.schema import ACTIVATIONS
from hati.exporting.kit import micro
from hati.exporting.kit.arena import Buffer, estimated, planned
from hati.int8.calibration import observe_layers, quantisation_for_devices
from hati.network import layers
from hati.network.graph import Graph
from hati.network.passes.small_devices import for_devices

WITHIN = 1.1  # times the real need, that an estimate may be


@pytest.mark.parametrize(
    ("buffers", "expected"),
    [
        ([], 0),
        ([(100, 0, 1)], 100),
        ([(100, 0, 1), (60, 1, 2), (100, 2, 3)], 160),
        ([(40, 0, 1), (100, 1, 2), (40, 2, 3)], 140),
        ([(64, 0, 3), (32, 0, 1), (32, 1, 2), (32, 2, 3)], 128),
        ([(30, 0, 2), (20, 0, 0), (10, 1, 1), (20, 2, 2)], 50),
    ],
    ids=["nothing", "one", "a chain", "a bulge", "a shortcut", "a gap is filled"],
)
def test_buffers_that_are_needed_at_once_lie_beside_each_other(
    buffers: Sequence[tuple[int, int, int]], expected: int
) -> None:
    assert planned([Buffer(*one) for one in buffers]) == expected


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_the_arena_is_what_tflite_micro_was_found_to_need(network: Needing, tmp_path: Path) -> None:
    found = estimated(read(micro_networks.written(network, tmp_path / "model.tflite"))).total
    assert network.bytes <= found <= WITHIN * network.bytes


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_tflite_micro_runs_in_the_arena_and_answers_as_litert(network: Needing, tmp_path: Path) -> None:
    reason = "TFLite Micro's interpreter is not installed: pip install --pre tflite-micro"
    pytest.importorskip("tflite_micro", reason=reason)
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    from tflite_micro.python.tflite_micro import runtime

    path = micro_networks.written(network, tmp_path / "model.tflite")
    arena = estimated(read(path)).total
    with pytest.raises(RuntimeError, match="allocate"):
        runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=int(arena / WITHIN))
    device = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=arena)
    plain = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    plain.allocate_tensors()
    [taken], [given] = plain.get_input_details(), plain.get_output_details()
    picture = np.random.default_rng(1).integers(0, 100, taken["shape"]).astype(taken["dtype"])
    plain.set_tensor(taken["index"], picture)
    device.set_input(picture, 0)
    plain.invoke()
    device.invoke()
    np.testing.assert_array_equal(device.get_output(0), plain.get_tensor(given["index"]))


PROGRAM = r"""
#include <stdint.h>
#include <stdio.h>
#include "model.h"
int main(void) {
  unsigned long sum = 0;
  for (unsigned long i = 0; i < sizeof model_data; ++i) sum += model_data[i];
  int labels = (int)(sizeof model_labels / sizeof *model_labels), astray = (int)((uintptr_t)model_data % 16);
  printf("%lu %lu %d %d %d\n", (unsigned long)sizeof model_data, sum, astray, labels, MODEL_OPERATORS);
  for (int i = 0; i < MODEL_CLASSES; ++i) puts(model_labels[i]);
  return 0;
}
"""
REGISTERING = r"""
#include "model.h"
struct Resolver {
  int count = 0;
%s
};
int main() { Resolver resolver; model_register(resolver); return resolver.count == MODEL_OPERATORS ? 0 : 1; }
"""
LABELS = ["a cat", 'say "cat"', "50 % \\ ??/", "ভ্রমর"]


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a header, and of the file that it was made from."""
    folder = tmp_path_factory.mktemp("header")
    path = micro_networks.written(NETWORKS["tiny"], folder / "model.tflite")
    file = read(path)
    text = micro.header("tiny */ network", LABELS, file, path.read_bytes(), estimated(file))
    (folder / "model.h").write_text(text)
    return folder


def compiled(compiler: str, folder: Path, name: str, *options: str) -> str:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not here to compile with")
    out = folder / Path(name).stem
    strict = ("-Wall", "-Wextra", "-Werror", "-pedantic", *options)
    done = subprocess.run([compiler, *strict, "-o", out, folder / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return subprocess.run([out], capture_output=True, text=True, check=True).stdout


def test_a_c_compiler_takes_the_array(header: Path) -> None:
    (header / "program.c").write_text(PROGRAM)
    first, *labels = compiled("gcc", header, "program.c", "-std=c11").splitlines()
    data = (header / "model.tflite").read_bytes()
    assert first.split() == [str(len(data)), str(sum(data)), "0", str(len(LABELS)), "4"]
    assert labels == LABELS


def test_a_cpp_compiler_registers_the_operators(header: Path) -> None:
    methods = sorted({micro.METHODS[one.kind] for one in read(header / "model.tflite").operators})
    text = REGISTERING % "\n".join(f"  void {method}() {{ ++count; }}" for method in methods)
    (header / "registering.cc").write_text(text)
    assert compiled("g++", header, "registering.cc", "-std=c++11") == ""


def test_the_header_tells_how_numbers_stand_for_others(header: Path) -> None:
    file, text = read(header / "model.tflite"), (header / "model.h").read_text()
    told = dict(re.findall(r"#define (MODEL_\w+) \(?([-\d.e]+)f?\)?\n", text))
    picture = file.tensors[file.inputs[0]]
    assert float(told["MODEL_INPUT_SCALE"]) == pytest.approx(picture.scales[0], rel=1e-7)
    assert int(told["MODEL_INPUT_ZERO_POINT"]) == picture.zero_point
    assert (float(told["MODEL_OUTPUT_SCALE"]), int(told["MODEL_OUTPUT_ZERO_POINT"])) == (1 / 256, -128)
    assert int(told["MODEL_ARENA_BYTES"]) == estimated(file).total
    assert (told["MODEL_INPUT_HEIGHT"], told["MODEL_INPUT_WIDTH"]) == ("32", "32")


@pytest.mark.parametrize(("most", "written"), [(6.0, "relu6"), (1e-9, "relu")])
def test_a_relu6_is_written_where_six_can_be_counted_to(most: float, written: str) -> None:
    """TFLite Micro counts it in steps of the scale, in 32 bits, and takes no file where it does not fit."""
    x = layers.Conv2D(2, 1)(layers.InputLayer((4, 4, 2))(name="picture"), name="conv")
    graph = Graph(layers.ReLU(6.0)(x, name="relu"))
    arrays = {"conv/kernel": np.full((1, 1, 2, 2), most / 2, np.float32), "conv/bias": np.zeros(2, np.float32)}
    graph, arrays_there = for_devices(graph, arrays)
    picture = np.linspace(0, 1, 32, dtype=np.float32).reshape(1, 4, 4, 2)
    quantisation = quantisation_for_devices(
        graph, arrays_there, observe_layers(graph, arrays_there, [picture]), (0.0, 1.0), "extremes"
    )
    program = translation.export(graph, arrays_there, quantisation=quantisation)
    [conv] = (one for one in program.operators if one.kind == "CONV_2D")
    assert conv.options["fused_activation_function"] == ACTIVATIONS[written]
    steps = program.tensors[conv.output].steps
    assert steps is not None
    assert float(steps.sizes) * LEVELS == pytest.approx(most, rel=0.02)
