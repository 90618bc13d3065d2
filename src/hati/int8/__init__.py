"""A network in eight-bit integers: calibrated, compared with the float one, and taken only where it is as good."""
