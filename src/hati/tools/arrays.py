"""What numbers are held in."""

import numpy as np

Array = np.ndarray
