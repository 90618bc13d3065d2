"""How far each network's answers are from Keras 3's on the same weights and pictures.

KERAS_BACKEND=torch PYTHONPATH=tests python benchmarks/exactness.py
"""

from typing import Any

import numpy as np
from oracle import give_same_weights, keras_twin, pictures

from hati import applications
from hati.engines import in_numpy
from hati.model import Model
from hati.tables import table

NETWORKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ResNet50", {}),
    ("VGG16", {}),
    ("VGG19", {}),
    ("InceptionV3", {}),
    *(("MobileNet", {"alpha": alpha}) for alpha in (1.0, 0.75, 0.5, 0.25)),
)


def largest(x: np.ndarray) -> float:
    return float(np.abs(x).max())


def scores_differ(function: str, **options: Any) -> float:
    """The largest difference between two pictures' softmax here and in Keras."""
    model, twin = twins(function, **options)
    x = pictures(model, *model.size)
    return largest(model.predict(x) - twin.predict(x, verbose=0))


def features_differ(function: str, **options: Any) -> tuple[float, float, float]:
    """One picture's features, as parts of the largest: here from Keras, here from the truth, Keras from the truth.

    The truth is the NumPy engine in float64.
    """
    model, twin = twins(function, include_top=False, **options)
    x = pictures(model, *model.size)[:1]
    arrays = dict(zip(model.graph.weights(), (w.astype(np.float64) for w in model.get_weights()), strict=True))
    ours, theirs, truth = (
        model.predict(x),
        twin.predict(x, verbose=0),
        in_numpy.run(model.graph, arrays, x.astype(np.float64)),
    )
    scale = largest(truth)
    return largest(ours - theirs) / scale, largest(ours - truth) / scale, largest(theirs - truth) / scale


def twins(function: str, **options: Any) -> tuple[Model, Any]:
    model, twin = getattr(applications, function)(weights=None, **options), keras_twin(function, **options)
    give_same_weights(model, twin)
    return model, twin


def main() -> None:
    rows = []
    for function, options in NETWORKS:
        parameters = getattr(applications, function)(weights=None, **options).count_params()
        differences = (scores_differ(function, **options), *features_differ(function, **options))
        name = function if options.get("alpha", 1.0) == 1.0 else f"{function} {options['alpha']}"
        rows.append((name, f"{parameters:,}", *(f"{difference:.1e}" for difference in differences)))
    headers = (
        "Model",
        "Parameters",
        "Softmax, hati - Keras",
        "Features, hati - Keras",
        "hati - truth",
        "Keras - truth",
    )
    print(table(headers, rows, right=range(1, 6)))


if __name__ == "__main__":
    main()
