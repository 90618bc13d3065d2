"""How far each family's features are from the truth, here and in Keras 3: the NumPy engine in float64.

KERAS_BACKEND=torch PYTHONPATH=tests/support python benchmarks/exactness.py
"""

import numpy as np
from networks import Network
from oracle import give_same_weights, pictures, twins

from hati.engines import in_numpy
from hati.tools.tables import table

FAMILIES = ("ResNet50", "ResNet50V2", "VGG16", "InceptionV3", "InceptionResNetV2", "Xception", "DenseNet121")
SMALL_FAMILIES = ("MobileNet", "MobileNetV2", "MobileNetV3Large", "NASNetMobile", "EfficientNetB0", "EfficientNetV2B0")
SIZE = (96, 96)


def from_the_truth(network: Network) -> tuple[float, float, float]:
    """The largest difference of one picture's features, as a part of the largest: ours - theirs, ours, theirs."""
    model, twin = twins(network, include_top=False, input_shape=(*SIZE, 3))
    give_same_weights(model, twin)
    x = pictures(model, *SIZE)[:1]
    arrays = dict(zip(model.graph.weights(), (w.astype(np.float64) for w in model.get_weights()), strict=True))
    truth = in_numpy.run(model.graph, arrays, x.astype(np.float64))
    ours, theirs = model.predict(x), twin.predict(x, verbose=0)
    scale = np.abs(truth).max()
    return tuple(float(np.abs(a - b).max() / scale) for a, b in ((ours, theirs), (ours, truth), (theirs, truth)))  # type: ignore[return-value]


def main() -> None:
    functions = (*FAMILIES, *SMALL_FAMILIES, "ConvNeXtTiny")
    rows = [(name, *(f"{part:.1e}" for part in from_the_truth(Network(name)))) for name in functions]
    print(table(("Model", "hati - Keras", "hati - truth", "Keras - truth"), rows, right=range(1, 4)))


if __name__ == "__main__":
    main()
