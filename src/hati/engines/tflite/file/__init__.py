"""The `.tflite` file: its tables as data (`schema`), packed (`packing`), a program of operators in it (`program`), and
what phone libraries read beside it (`metadata`). What a network's layers become there is `translation`'s matter.
"""
