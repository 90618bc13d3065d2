"""ConvNeXtTiny to XLarge as `keras.applications.convnext` has them."""

from functools import partial

from ...network.architectures.blocks import Top
from ...network.architectures.convnext import convnext
from ...network.graph import Graph, Shape
from .building import Application, Request
from .building import unchanged as preprocess_input
from .imagenet_utils import decode_predictions

__all__ = [
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "decode_predictions",
    "preprocess_input",
]  # fmt: skip


class Named(Application):
    def draw(self, shape: Shape, top: Top, request: Request) -> Graph:
        """Keras puts the model's name in front of every layer's."""
        return self.architecture(shape, top, prefix=request.name or "", **request.options)


ConvNeXt = partial(
    Named,
    order="include_top include_preprocessing weights input_tensor input_shape pooling classes classifier_activation "
    "name",
    options={"include_preprocessing": True},
    without_preprocessing="torch",
)
ConvNeXtTiny = ConvNeXt("ConvNeXtTiny", partial(convnext, name="convnext_tiny"))
ConvNeXtSmall = ConvNeXt("ConvNeXtSmall", partial(convnext, name="convnext_small"))
ConvNeXtBase = ConvNeXt("ConvNeXtBase", partial(convnext, name="convnext_base"))
ConvNeXtLarge = ConvNeXt("ConvNeXtLarge", partial(convnext, name="convnext_large"))
ConvNeXtXLarge = ConvNeXt("ConvNeXtXLarge", partial(convnext, name="convnext_xlarge"))
