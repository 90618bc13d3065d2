"""hati's transfer learning: its goals, its curve, its time beside Keras' own recipe, and what one photo teaches.

`python -m transfer` is the driver; `recipes` run as new processes, Keras' in its own environment.
"""
