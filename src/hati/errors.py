"""Every error and warning that hati raises.

HatiError                    caught by `except ValueError` too, as Keras' own refusals are
├── ArgumentError            an argument, or a combination of arguments, that means nothing
├── GraphError               layers that do not fit together
├── InputError               an array that a model cannot take
├── ImageError               a photo that cannot be read
│   ├── ImageNotFound        no file there (a FileNotFoundError too)
│   └── ImageTooLarge        more pixels than hati opens
├── LabelsError              scores that no label list fits
├── TrainingError            a training that cannot go on
│   └── TrainingStopped      by whoever waits for it
├── UnknownModel             a name that is not in the catalog
└── WeightsError             a weights file that is damaged, hostile, or of another network
    └── WeightsUnavailable   not on this machine, and not to be had from where it lies

InputWarning                 an array that was probably preprocessed wrongly
PrecisionWarning             int8 was asked for, and float is used
"""

from typing import TypeVar

E = TypeVar("E", bound=BaseException)


class HatiError(ValueError):
    """The root of every error here; its message says where, what was found, and what to do."""


class ArgumentError(HatiError):
    pass


class GraphError(HatiError):
    pass


class InputError(HatiError):
    pass


class ImageError(HatiError):
    pass


class ImageNotFound(ImageError, FileNotFoundError):
    pass


class ImageTooLarge(ImageError):
    pass


class LabelsError(HatiError):
    pass


class TrainingError(HatiError):
    pass


class TrainingStopped(TrainingError):
    pass


class UnknownModel(HatiError):
    pass


class WeightsError(HatiError):
    pass


class WeightsUnavailable(WeightsError):
    pass


def light(error: E) -> E:
    """An error without the frames that it came through, to be kept: they hold the picture that could not be read."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class InputWarning(UserWarning):
    pass


class PrecisionWarning(UserWarning):
    pass
