"""NASNetMobile and NASNetLarge as `keras.applications.nasnet` has them."""

from functools import partial

from ...network.architectures.nasnet import nasnet
from .building import Application, by_mode
from .imagenet_utils import decode_predictions

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

NASNet = partial(
    Application,
    order="input_shape include_top weights input_tensor pooling classes classifier_activation name",
    size="known",  # a cell is built by the sizes of the two maps before it
)
NASNetMobile = NASNet("NASNetMobile", partial(nasnet, name="nasnet_mobile"))
NASNetLarge = NASNet("NASNetLarge", partial(nasnet, name="nasnet_large"))
preprocess_input = by_mode("tf")
