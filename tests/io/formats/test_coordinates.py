from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table, VectorsResult
from napari_framewise.io.formats.coordinates import default_placing, points_of, shapes_of, table_of
from napari_framewise.io.formats.tables import read_table, write_table

PLACE = default_placing(3)


def test_points_come_back_from_a_file(tmp_path: Path) -> None:
    data = np.array([[0, 0.1, np.nan], [1, 2, 3]])
    features = Table("f", "object", {"size": [1.5, 2.5], "axis-0": [7, 7], "kind": ["a", "b"]})
    write_table(table_of(PointsResult("spots", data, PLACE, features)), tmp_path / "spots.csv")
    again = points_of(read_table(tmp_path / "spots.csv"), "spots")
    np.testing.assert_array_equal(again.data, data)
    assert again.features is not None
    assert set(again.features.columns) == {"size", "kind", "axis-0"}
    np.testing.assert_array_equal(again.features.columns["axis-0"], [7, 7])
    np.testing.assert_array_equal(again.features.columns["size"], [1.5, 2.5])
    assert [axis.name for axis in again.grid.axes] == ["axis 0", "y", "x"]


def test_points_without_features() -> None:
    assert points_of({"axis-0": np.zeros(2), "axis-1": np.ones(2)}, "p").features is None


def test_vectors_have_starts_and_displacements() -> None:
    data = np.arange(12.0).reshape(2, 2, 3)
    columns = table_of(VectorsResult("flow", data, PLACE)).columns
    assert list(columns) == ["index", *(f"axis-{n}" for n in range(3))] + [
        f"displacement-{n}" for n in range(3)
    ]
    np.testing.assert_array_equal(columns["axis-1"], data[:, 0, 1])
    np.testing.assert_array_equal(columns["displacement-2"], data[:, 1, 2])


def test_shapes_come_back_from_a_file(tmp_path: Path) -> None:
    shapes = [np.arange(6.0).reshape(3, 2), np.zeros((4, 2))]
    result = ShapesResult("cells", shapes, default_placing(2), "polygon")
    write_table(table_of(result), tmp_path / "cells.csv")
    again = shapes_of(read_table(tmp_path / "cells.csv"), "cells")
    assert again.shape_type == "polygon"
    for one, other in zip(again.data, shapes, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_shapes_are_an_empty_table() -> None:
    assert len(table_of(ShapesResult("none", [], PLACE))) == 0


def test_columns_that_are_no_coordinates_are_named() -> None:
    with pytest.raises(ValueError, match="spots has the columns x, y; coordinates are needed in"):
        points_of({"x": np.zeros(1), "y": np.zeros(1)}, "spots")
    with pytest.raises(ValueError, match="has no column index"):
        shapes_of({"axis-0": np.zeros(1)}, "cells")


def test_shapes_of_all_types_keep_features_colours_and_widths(tmp_path: Path) -> None:
    kinds = ("rectangle", "ellipse", "polygon", "path", "line")
    rng = np.random.default_rng(0)
    shapes = [rng.random((count, 3)) for count in (4, 4, 6, 5, 2)]
    colours, fill = rng.integers(0, 256, (2, 5, 4)) / 255
    features = Table("f", "object", {"class": list("abcab"), "index": [5, 4, 3, 2, 1]})
    drawn = ShapesResult(
        "cells", shapes, PLACE, kinds, features, colours, fill, np.array([1, 2, 3, 4, 5.5])
    )
    write_table(table_of(drawn), tmp_path / "cells.csv")
    again = shapes_of(read_table(tmp_path / "cells.csv"), "cells")
    assert again.types == kinds
    for one, other in zip(again.data, shapes, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.features is not None
    assert list(again.features.columns["class"]) == list("abcab")
    assert list(again.features.columns["index"]) == [5, 4, 3, 2, 1]
    np.testing.assert_array_equal(again.colours, colours)
    np.testing.assert_array_equal(again.fill, fill)
    np.testing.assert_array_equal(again.widths, [1, 2, 3, 4, 5.5])


def test_points_keep_their_index_and_colours(tmp_path: Path) -> None:
    colours = np.array([[1, 0, 0, 1], [0, 0.4, 1, 0.2]])
    features = Table("f", "landmark", {"index": [7, 3], "who": ["me", "you"]})
    drawn = PointsResult("spots", np.ones((2, 3)), PLACE, features, colours=colours)
    write_table(table_of(drawn), tmp_path / "spots.csv")
    again = points_of(read_table(tmp_path / "spots.csv"), "spots")
    np.testing.assert_array_equal(again.index, [7, 3])
    np.testing.assert_array_equal(again.colours, colours)
    assert again.features is not None
    assert list(again.features.columns) == ["who"]
