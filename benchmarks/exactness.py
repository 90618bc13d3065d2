"""How far each network's answers are from Keras 3's on the same weights and pictures.

KERAS_BACKEND=torch PYTHONPATH=tests python benchmarks/exactness.py
"""

from typing import Any

import numpy as np
from oracle import give_same_weights, keras_twin, pictures

from hati import applications, summary
from hati.tables import table

NETWORKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ResNet50", {}),
    ("VGG16", {}),
    ("VGG19", {}),
    ("InceptionV3", {}),
    *(("MobileNet", {"alpha": alpha}) for alpha in (1.0, 0.75, 0.5, 0.25)),
)


def difference(function: str, **options: Any) -> tuple[float, float]:
    """The largest difference of two pictures' outputs, and Keras' largest output."""
    model, twin = getattr(applications, function)(weights=None, **options), keras_twin(function, **options)
    give_same_weights(model, twin)
    x = pictures(model, *model.size)
    found, expected = model.predict(x), twin.predict(x, verbose=0)
    return float(np.abs(found - expected).max()), float(np.abs(expected).max())


def main() -> None:
    rows = []
    for function, options in NETWORKS:
        totals = summary.totals(getattr(applications, function)(weights=None, **options).graph)
        scores, _ = difference(function, **options)
        features, largest = difference(function, include_top=False, **options)
        name = function if options.get("alpha", 1.0) == 1.0 else f"{function} {options['alpha']}"
        rows.append((name, f"{totals.parameters:,}", f"{scores:.1e}", f"{features / largest:.1e}"))
    print(table(("Model", "Parameters", "Softmax differs by", "Features differ by, relative"), rows, right=(1, 2, 3)))


if __name__ == "__main__":
    main()
