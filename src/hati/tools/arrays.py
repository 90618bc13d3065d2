"""What numbers are held in, and how others' become ours."""

from typing import Any

import numpy as np

from ..errors import InputError

Array = np.ndarray


def as_array(x: Any) -> Array:
    """Whatever calls itself an array, as NumPy's; a tensor that wants gradients, or lies on a GPU, as its numbers.

    Raises InputError for what cannot become one, with the way out.
    """
    try:
        return np.asarray(x.detach().cpu() if _is_tensor(x) else x)
    except MemoryError:
        raise
    except Exception as error:  # each kind of array has its own
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"a {type(x).__name__} came, which makes no array of numbers ({reason}); give a NumPy array, of a tensor "
            "x.detach().cpu().float().numpy()"
        ) from None


def is_finite(x: Array) -> bool:
    """Whether no number of it is NaN or infinity: by their sum, which costs next to nothing, where that is finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(x.sum(dtype=np.float32)) or np.isfinite(x).all())


def _is_tensor(x: Any) -> bool:
    return callable(getattr(x, "detach", None)) and callable(getattr(x, "cpu", None))
