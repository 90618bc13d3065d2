"""ONNX: a graph in its words, in floats and in integers, and ONNX Runtime, which runs it."""
