"""An interpreter of TFLite files: FOLDER MODULE [reference]."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np

folder, module, *way = sys.argv[1:]
interpreter = importlib.import_module(module)
settings = {"experimental_op_resolver_type": interpreter.OpResolverType.BUILTIN_REF} if way else {}
told = {}
for path in sorted(Path(folder).glob("*.tflite")):
    pictures = np.load(path.with_suffix(".npy"))
    network = interpreter.Interpreter(str(path), num_threads=2, **settings)
    network.allocate_tensors()
    [taken], [given] = network.get_input_details(), network.get_output_details()
    scores = []
    for picture in pictures:
        network.set_tensor(taken["index"], picture[np.newaxis])
        network.invoke()
        scores.append(network.get_tensor(given["index"])[0])
    told[path.stem] = np.stack(scores).tolist()
(Path(folder) / "told.json").write_text(json.dumps(told))
