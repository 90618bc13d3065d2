"""OpenVINO: MODEL PHOTO."""

import sys

import openvino

from side_by_side.first_answers.reading import picture

core = openvino.Core()
network = core.read_model(sys.argv[1])
network.reshape([1, 224, 224, 3])
compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
print(compiled(picture(sys.argv[2]))[0][0].argsort()[:-4:-1])
