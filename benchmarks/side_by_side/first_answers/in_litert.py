"""LiteRT: MODEL PHOTO."""

import sys

from ai_edge_litert.interpreter import Interpreter

from side_by_side.first_answers.reading import picture

interpreter = Interpreter(sys.argv[1], num_threads=2)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture(sys.argv[2]))
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].argsort()[:-4:-1])
