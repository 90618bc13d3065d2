"""DenseNet121, 169 and 201 as `keras.applications.densenet` has them."""

from functools import partial

from ...network.architectures.densenet import densenet
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

DenseNet121 = Application("DenseNet121", partial(densenet, name="densenet121"))
DenseNet169 = Application("DenseNet169", partial(densenet, name="densenet169"))
DenseNet201 = Application("DenseNet201", partial(densenet, name="densenet201"))
preprocess_input = by_mode("torch")
