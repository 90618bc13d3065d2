"""`model.h`: a network for microcontrollers, as TFLite Micro takes it."""

from __future__ import annotations

from ...engines.tflite.file.reading import File, Tensor, read
from .arena import Arena, estimated
from .contents import Contents

LARGEST = 1_000_000  # bytes of a file; few microcontrollers have more flash
A_LINE = 16  # bytes of the array
METHODS = {  # of tflite::MicroMutableOpResolver, by operator
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEQUANTIZE": "AddDequantize",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "LOGISTIC": "AddLogistic",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MUL": "AddMul",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "RSQRT": "AddRsqrt",
    "SOFTMAX": "AddSoftmax",
    "SQUARED_DIFFERENCE": "AddSquaredDifference",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "TANH": "AddTanh",
}
TEMPLATE = """\
/* {name} for TFLite Micro, written by hati. Include it in one source file of yours.

   It takes {taken}: {numbers_in}.
   It gives {given}, a score for each of model_labels: {scale_out:.9g} * (number - {zero_out}).
   It needs an arena of about {arena:,} bytes: {flowing:,} for what flows, {kept:,} for what the interpreter keeps. That
   is enough for the plain kernels on any processor; optimised ones, such as CMSIS-NN's, ask for a few kilobytes more,
   and interpreter.arena_used_bytes() tells what was needed.
*/
#ifndef HATI_MODEL_H
#define HATI_MODEL_H

#define MODEL_BYTES {bytes}
#define MODEL_ARENA_BYTES {arena}
#define MODEL_INPUT_HEIGHT {height}
#define MODEL_INPUT_WIDTH {width}
#define MODEL_INPUT_CHANNELS 3
#define MODEL_INPUT_SCALE {scale_in:.9g}f
#define MODEL_INPUT_ZERO_POINT ({zero_in})
#define MODEL_OUTPUT_SCALE {scale_out:.9g}f
#define MODEL_OUTPUT_ZERO_POINT ({zero_out})
#define MODEL_CLASSES {classes}
#define MODEL_OPERATORS {operators}

#ifdef __cplusplus
#define MODEL_ALIGNED alignas(16)
#else
#define MODEL_ALIGNED _Alignas(16)
#endif

#ifdef __cplusplus
/* tflite::MicroMutableOpResolver<MODEL_OPERATORS> resolver; model_register(resolver); */
template <typename Resolver>
inline void model_register(Resolver& resolver) {{
{register}
}}
#endif

static const char* const model_labels[MODEL_CLASSES] = {{
{labels}
}};

MODEL_ALIGNED static const unsigned char model_data[MODEL_BYTES] = {{
{data}
}};

#endif
"""
TAKEN = {
    "int8": "red, green and blue of a photo, each less 128",
    "uint8": "red, green and blue of a photo, from 0 to 255",
}


def unfit(contents: Contents) -> str:
    """Why there is no header for a file, as one clause; "" where there is one."""
    size = contents.model.stat().st_size
    if contents.model.suffix != ".tflite":
        return "microcontrollers run TFLite"
    if contents.precision != "int8" or contents.order.numbers == "float32":
        return "microcontrollers take and give integers: --precision int8 --io int8"
    if size >= LARGEST:
        return f"{size / 1e6:.2f} MB are more than the {LARGEST / 1e6:.0f} MB that fit a microcontroller"
    missing = {one.kind for one in read(contents.model).operators} - METHODS.keys()
    return f"TFLite Micro has no {', '.join(sorted(missing))}" if missing else ""


def write(contents: Contents) -> Arena:
    file = read(contents.model)
    arena = estimated(file)
    text = header(contents.order.model.name, contents.names, file, contents.model.read_bytes(), arena)
    (contents.folder / "model.h").write_text(text, encoding="ascii")
    return arena


def header(name: str, labels: list[str], file: File, data: bytes, arena: Arena) -> str:
    [picture], [scores] = ([file.tensors[x] for x in ends] for ends in (file.inputs, file.outputs))
    methods = sorted({METHODS[one.kind] for one in file.operators})
    return TEMPLATE.format(
        name=_ascii(name),
        taken=_described(picture),
        numbers_in=TAKEN[picture.numbers],
        given=_described(scores),
        bytes=len(data),
        arena=arena.total,
        flowing=arena.flowing,
        kept=arena.kept,
        height=picture.shape[1],
        width=picture.shape[2],
        scale_in=picture.scales[0],
        zero_in=picture.zero_point,
        scale_out=scores.scales[0],
        zero_out=scores.zero_point,
        classes=len(labels),
        operators=len(methods),
        register="\n".join(f"  resolver.{method}();" for method in methods),
        labels="\n".join(f'  "{_ascii(label)}",' for label in labels),
        data=_hexadecimal(data),
    )


def _described(tensor: Tensor) -> str:
    return f"{tensor.numbers} [{']['.join(map(str, tensor.shape))}]"


def _ascii(text: str) -> str:
    """As C writes it: what is no plain letter by the numbers of its UTF-8, so that every compiler reads the same."""
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?*/' else f"\\{byte:03o}" for byte in text.encode())
    return "".join(plain)


def _hexadecimal(data: bytes) -> str:
    digits = [f"0x{byte:02x}" for byte in range(256)]
    lines = (data[start : start + A_LINE] for start in range(0, len(data), A_LINE))
    return "\n".join(f"  {', '.join(digits[byte] for byte in line)}," for line in lines)
