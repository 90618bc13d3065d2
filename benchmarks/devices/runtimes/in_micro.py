"""TFLite Micro: FOLDER with int8.tflite; its scores, and the smallest arena that it runs in."""

import json
import sys
from pathlib import Path

import numpy as np
from tflite_micro.python.tflite_micro import runtime

folder = Path(sys.argv[1])
model = (folder / "int8.tflite").read_bytes()
STEP = 256  # bytes, to which the arena is found


def network(arena: int) -> runtime.Interpreter:
    return runtime.Interpreter.from_bytes(model, arena_size=arena)


def fits(arena: int) -> bool:
    try:
        network(arena)
        return True
    except Exception:
        return False


low, high = 0, 1 << 24
while high - low > STEP:
    middle = (low + high) // 2
    low, high = (low, middle) if fits(middle) else (middle, high)
ready = network(high)
scores = []
for picture in np.load(folder / "int8.npy"):
    ready.set_input(picture[np.newaxis], 0)
    ready.invoke()
    scores.append(ready.get_output(0)[0].tolist())
(folder / "told.json").write_text(json.dumps({"int8": scores, "arena": high}))
