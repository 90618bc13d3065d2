"""EfficientNetB0 to B7 as `keras.applications.efficientnet` has them."""

from functools import partial
from pathlib import Path

from ...network.architectures.blocks import Top
from ...network.architectures.efficientnet import efficientnet
from ...network.graph import Graph, Shape
from ...weights.bringing import checksums
from .building import Application, Request
from .building import unchanged as preprocess_input
from .imagenet_utils import decode_predictions

__all__ = [
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "decode_predictions", "preprocess_input",
]  # fmt: skip


class EfficientNet(Application):
    def draw(self, shape: Shape, top: Top, request: Request) -> Graph:
        """The published weights need one layer more, by whatever way they come; Keras forgets it for their path."""
        return self.architecture(shape, top, published=request.imagenet or self.has_published_file(request))

    def has_published_file(self, request: Request) -> bool:
        if request.weights is None:
            return False
        try:
            md5 = checksums.digest(Path(request.weights), "md5")
        except OSError:  # whoever reads it next says why it cannot be read
            return False
        entry = self.entry(request)
        return any(file and file.checksum == f"md5:{md5}" for file in (entry.top_file, entry.notop_file))


EfficientNetB0 = EfficientNet("EfficientNetB0", partial(efficientnet, name="efficientnetb0"))
EfficientNetB1 = EfficientNet("EfficientNetB1", partial(efficientnet, name="efficientnetb1"))
EfficientNetB2 = EfficientNet("EfficientNetB2", partial(efficientnet, name="efficientnetb2"))
EfficientNetB3 = EfficientNet("EfficientNetB3", partial(efficientnet, name="efficientnetb3"))
EfficientNetB4 = EfficientNet("EfficientNetB4", partial(efficientnet, name="efficientnetb4"))
EfficientNetB5 = EfficientNet("EfficientNetB5", partial(efficientnet, name="efficientnetb5"))
EfficientNetB6 = EfficientNet("EfficientNetB6", partial(efficientnet, name="efficientnetb6"))
EfficientNetB7 = EfficientNet("EfficientNetB7", partial(efficientnet, name="efficientnetb7"))
