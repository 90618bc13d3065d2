"""What phone libraries read: the tables by their places in the published schema, the names in their archive."""

import io
import zipfile

import flatbuffers
import numpy as np
import pytest
from flatbuffers import number_types

from hati.engines.tflite.file.metadata import LABELS, Told, tables, with_labels

TOLD = Told(
    name="pets",
    description="Names pets",
    licence="Apache-2.0",
    size=(192, 224),
    mean=(127.0, 128.0, 129.0),
    deviation=(128.0, 64.0, 32.0),
    takes_bytes=False,
    labels=("cat", "dog", "লাল পান্ডা"),
)


class Table:
    """A table of a flatbuffer, read by the number of each field's slot."""

    def __init__(self, buffer: bytes, place: int):
        self.table = flatbuffers.table.Table(buffer, place)

    @classmethod
    def root(cls, buffer: bytes) -> "Table":
        return cls(buffer, int.from_bytes(buffer[:4], "little"))

    def at(self, slot: int) -> int:
        return int(self.table.Offset(4 + 2 * slot))

    def text(self, slot: int) -> str:
        return str(self.table.String(self.at(slot) + self.table.Pos).decode())

    def one(self, slot: int) -> "Table":
        return Table(self.table.Bytes, self.table.Indirect(self.at(slot) + self.table.Pos))

    def each(self, slot: int) -> list["Table"]:
        start = self.table.Vector(self.at(slot))
        count = self.table.VectorLen(self.at(slot))
        return [Table(self.table.Bytes, self.table.Indirect(start + 4 * number)) for number in range(count)]

    def number(self, slot: int, kind: type) -> int:
        return int(self.table.Get(kind, self.at(slot) + self.table.Pos))

    def floats(self, slot: int) -> list[float]:
        return [float(x) for x in self.table.GetVectorAsNumpy(number_types.Float32Flags, self.at(slot))]


def test_the_tables_say_how_pixels_come_and_where_names_are() -> None:
    file = tables(TOLD)
    assert file[4:8] == b"M001"
    model = Table.root(file)
    assert [model.text(slot) for slot in (0, 1, 5, 7)] == ["pets", "Names pets", "Apache-2.0", "1.0.0"]
    [graph] = model.each(3)
    [picture], [scores] = graph.each(2), graph.each(3)
    assert (picture.text(0), scores.text(0)) == ("image", "probability")
    content = picture.one(3)
    assert content.number(0, number_types.Uint8Flags) == 2  # an image's properties
    assert content.one(1).number(0, number_types.Int8Flags) == 1  # red, green, blue
    size = content.one(1).one(1)
    assert [size.number(slot, number_types.Uint32Flags) for slot in (0, 1)] == [224, 192]  # width, height
    [unit] = picture.each(4)
    assert unit.number(0, number_types.Uint8Flags) == 1  # normalisation
    assert (unit.one(1).floats(0), unit.one(1).floats(1)) == ([127.0, 128.0, 129.0], [128.0, 64.0, 32.0])
    assert picture.one(5).floats(0) == pytest.approx([1.0, 127 / 64, 126 / 32])
    assert scores.one(3).number(0, number_types.Uint8Flags) == 1  # features
    [names] = scores.each(6)
    assert names.text(0) == LABELS
    assert names.number(2, number_types.Int8Flags) == 2  # labels of an axis


def test_names_lie_in_an_archive_behind_the_file() -> None:
    file = bytes(range(200)) * 7
    whole = with_labels(file, TOLD.labels)
    assert whole.startswith(file)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.namelist() == [LABELS]
        assert archive.read(LABELS).decode().splitlines() == ["cat", "dog", "লাল পান্ডা"]
    assert with_labels(file, TOLD.labels) == whole
    assert with_labels(file, None) == file


def test_bytes_are_said_to_go_from_0_to_255() -> None:
    told = Told(**{**vars(TOLD), "takes_bytes": True})
    [graph] = Table.root(tables(told)).each(3)
    [picture] = graph.each(2)
    np.testing.assert_array_equal(picture.one(5).floats(0), [255.0] * 3)
    np.testing.assert_array_equal(picture.one(5).floats(1), [0.0] * 3)
