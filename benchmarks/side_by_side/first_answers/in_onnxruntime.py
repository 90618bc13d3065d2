"""ONNX Runtime: MODEL PHOTO."""

import sys

import onnxruntime

from side_by_side.first_answers.reading import picture

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
[scores] = session.run(None, {"image": picture(sys.argv[2])})
print(scores[0].argsort()[:-4:-1])
