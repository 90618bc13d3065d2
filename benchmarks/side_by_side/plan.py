"""What is measured, and for how long."""

from dataclasses import dataclass

from .networks import Network


@dataclass(frozen=True)
class Way:
    """One way of asking one peer."""

    name: str
    environment: str
    module: str  # of side_by_side.peers
    way: str
    tolerance: float = 1e-3  # of its answer, as a part of the largest score
    slow: bool = False  # to get ready


HATI = Way("hati", "hati", "in_hati", "predict")
ONNXRUNTIME = Way("ONNX Runtime", "onnxruntime", "in_onnxruntime", "run")
WAYS = (
    HATI,
    ONNXRUNTIME,
    Way("OpenVINO, float32", "openvino", "in_openvino", "f32"),
    Way("OpenVINO, its default", "openvino", "in_openvino", "default", tolerance=0.1),  # bfloat16 on some processors
    Way("LiteRT", "litert", "in_litert", "run"),
    Way("PyTorch, eager", "torch", "in_torch", "eager"),
    Way("PyTorch, compiled", "torch", "in_torch", "compiled", slow=True),
    Way("Keras on TensorFlow, predict", "tensorflow", "in_keras", "predict"),
    Way("Keras on TensorFlow, predict_on_batch", "tensorflow", "in_keras", "predict_on_batch"),
    Way("Keras on PyTorch, predict", "keras_torch", "in_keras", "predict"),
)

DEFAULT, RESNET = Network("EfficientNetLite0"), Network("ResNet50")
NETWORKS = (
    RESNET,
    Network("VGG16"),
    Network("InceptionV3"),
    Network("MobileNet"),
    Network("MobileNetV2"),
    DEFAULT,
    Network("EfficientNetB0"),
)
BATCHES = (1, 8)


@dataclass(frozen=True)
class Effort:
    """How much of everything."""

    seconds: float  # for each way on each network and batch
    rounds: int
    own_calls: int  # of predict, for what it adds
    processes: int  # new ones, of each kind
    photos: int  # in the folder
    calls: int
    passes: int  # over the folder
    enlarged: int  # photos that are decoded at a part of their size, and whole
    networks: tuple[Network, ...] = NETWORKS  # that are measured where none is asked for
    slow: bool = True  # whether what is slow to get ready is measured as well


FULL = Effort(seconds=2.5, rounds=5, own_calls=60, processes=5, photos=1000, calls=10_000, passes=3, enlarged=400)
QUICK = Effort(
    seconds=0.4,
    rounds=2,
    own_calls=15,
    processes=2,
    photos=160,
    calls=500,
    passes=2,
    enlarged=40,
    networks=(RESNET, DEFAULT),
    slow=False,
)
