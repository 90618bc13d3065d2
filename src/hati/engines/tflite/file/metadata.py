"""What phone libraries read beside a network: how pixels are brought to it, and the names of its classes.

Facts: metadata_schema.fbs and the image classifier's page of TFLite Support 0.4. The names lie behind the tables as a
file of their own, in a ZIP archive that begins where the flatbuffer ends.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....labels import lines
from .packing import Table, packed, table
from .schema import AXIS_LABELS, FEATURE, IMAGE, METADATA_IDENTIFIER, NORMALISATION, RGB

LABELS = "labels.txt"  # one class a line, in the order of the scores
PARSER = "1.0.0"  # the oldest that understands this
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of ZIP, so that one model makes one file


@dataclass(frozen=True)
class Told:
    """Everything that is told of a file.

    A pixel from 0 to 255 becomes (pixel - mean) / deviation, channel by channel, red first.
    """

    name: str
    description: str
    licence: str
    size: tuple[int, int]  # height and width in pixels
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    takes_bytes: bool
    labels: tuple[str, ...] | None


def tables(told: Told) -> bytes:
    """The metadata's own flatbuffer, which goes into a buffer of the model's."""
    graph = table("SubGraphMetadata", input_tensor_metadata=[_picture(told)], output_tensor_metadata=[_scores(told)])
    root = table(
        "ModelMetadata",
        name=told.name,
        description=told.description,
        version="1",
        license=told.licence,
        subgraph_metadata=[graph],
        min_parser_version=PARSER,
    )
    return packed(root, METADATA_IDENTIFIER)


def with_labels(file: bytes, labels: Sequence[str] | None) -> bytes:
    """A model's file, and behind it the file of its labels."""
    if labels is None:
        return file
    archive = io.BytesIO(file)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr(zipfile.ZipInfo(LABELS, FIRST_DAY), lines(labels))
    return archive.getvalue()


def _picture(told: Told) -> Table:
    height, width = told.size
    size = table("ImageSize", width=width, height=height)
    content = table("Content", content_properties_type=IMAGE, content_properties=_image(size))
    options = table("NormalizationOptions", mean=told.mean, std=told.deviation)
    mean, deviation = (np.asarray(numbers, np.float64) for numbers in (told.mean, told.deviation))
    ends = [(255 - mean) / deviation, (0 - mean) / deviation]
    if told.takes_bytes:
        ends = [np.full(len(mean), 255.0), np.zeros(len(mean))]
    return table(
        "TensorMetadata",
        name="image",
        description="The picture, upright RGB.",
        content=content,
        process_units=[table("ProcessUnit", options_type=NORMALISATION, options=options)],
        stats=table("Stats", max=ends[0], min=ends[1]),
    )


def _image(size: Table) -> Table:
    return table("ImageProperties", color_space=RGB, default_size=size)


def _scores(told: Told) -> Table:
    content = table("Content", content_properties_type=FEATURE, content_properties=table("FeatureProperties"))
    if told.labels is None:
        return table("TensorMetadata", name="features", description="What the network sees.", content=content)
    names = table("AssociatedFile", name=LABELS, description="Class names, one a line.", type=AXIS_LABELS)
    return table(
        "TensorMetadata",
        name="probability",
        description="A score from 0 to 1 for each class.",
        content=content,
        stats=table("Stats", max=[1.0], min=[0.0]),
        associated_files=[names],
    )
