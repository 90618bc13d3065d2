"""What scikit-learn hands over: photos in any of its containers, and what they are labelled."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from PIL.Image import Image
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..errors import ArgumentError
from ..photos import Photo
from ..tools.arrays import Array

Targets = tuple[Array, Array, bool]

EXPECTED = "a list of paths, PIL images or arrays, a column of paths, or one array (n, height, width, 3) of 0–255"
CHANNELS = (1, 3, 4)
ONE_PHOTO = (str, PathLike, bytes, bytearray, Image)  # and what can be read, and arrays


def photos_of(X: Any) -> list[Photo]:
    """A list of photos, from a list, a column of a table, or an array.

    X: paths, URLs, bytes, PIL images or arrays; or all pictures in one array, (n, height, width, 3) or
    (n, height, width), 0–255.

    Raises ArgumentError for what holds no photos, and names the place in X.
    """
    if isinstance(X, ONE_PHOTO) or hasattr(X, "read"):
        raise ArgumentError(f"X is one photo, {X!r:.80}; give a list of photos, [X]")
    if hasattr(X, "__array__"):
        found = _rows(np.asarray(X))
    elif isinstance(X, Sequence):
        found = list(X)
    else:
        raise ArgumentError(f"X is a {type(X).__name__}; {EXPECTED} was expected")
    if not found:
        raise ArgumentError("X has 0 photos; one or more are needed")
    for place, photo in enumerate(found):
        if not (isinstance(photo, (*ONE_PHOTO, np.ndarray)) or hasattr(photo, "read")):
            raise ArgumentError(f"X[{place}] is {photo!r:.80}, which is no photo; {EXPECTED} was expected")
    return found


def _rows(x: Array) -> list[Photo]:
    """The photos of an array, one by one."""
    match x.dtype.kind in "biufc", x.shape:
        case (False, (_,)) | (_, (_, _, _, _)):
            return list(x)
        case False, (_, 1):
            return list(x[:, 0])
        case True, (_, _, last) if last not in CHANNELS:
            return list(x)
        case True, (_, _, _):
            raise ArgumentError(f"X is one picture of shape {x.shape}; give a list of pictures, [X]")
        case True, (_, _):
            again = "X.reshape(-1, height, width, 3) makes pictures of rows that were laid out flat"
            raise ArgumentError(f"X is a table of numbers of shape {x.shape}; {EXPECTED} was expected; {again}")
    raise ArgumentError(f"X is an array of shape {x.shape}, {x.dtype}; {EXPECTED} was expected")


def targets_of(y: Any) -> Targets:
    """The classes, (photos, classes) bool, and whether a photo can have several.

    y: a label for each photo, or a matrix (photos, classes) of 0 and 1. Raises ValueError for anything else.
    """
    if y is None:
        raise ArgumentError("the classifier requires y to be passed, but the target y is None; give a label for each")
    assert_all_finite(y, input_name="y")
    if type_of_target(y, input_name="y") == "multilabel-indicator":
        marks = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
        return np.arange(marks.shape[1]), marks.astype(bool), True
    check_classification_targets(y)
    classes, numbers = np.unique(column_or_1d(y, warn=True), return_inverse=True)
    if len(classes) < 2:
        raise ArgumentError(f"y has one class, {classes.tolist()[0]!r}; two are needed to tell them apart")
    return classes, numbers[:, np.newaxis] == np.arange(len(classes)), False
