"""Legends: the colour of each label, and one table of all that is known of labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.stacks.legend import Legend, colour_of_hex, hex_of, legend_of


@given(st.dictionaries(st.integers(-5, 300), st.tuples(*[st.integers(0, 255)] * 4), max_size=9))
def test_a_table_gives_the_same_colours_again(chosen: dict[int, tuple[int, ...]]) -> None:
    numbers = np.array(list(chosen), np.int64)
    colours = np.array(list(chosen.values()), float).reshape(-1, 4) / 255
    legend = legend_of(Legend(numbers, colours).rows())
    asked = np.arange(-6, 302).reshape(4, -1)
    expected = [chosen.get(int(number), (np.nan,) * 4) for number in asked.ravel()]
    np.testing.assert_array_equal(legend.colour_of(asked), np.reshape(expected, (4, -1, 4)) / 255)


def test_features_keep_their_labels_whether_or_not_these_have_a_colour() -> None:
    features = {
        "index": np.array([7, 2]),
        "area": np.array([3.5, 1.0]),
        "kind": np.array(["a", "b"]),
    }
    rows = Legend(np.array([2, 9]), np.eye(4)[:2], features).rows()
    np.testing.assert_array_equal(rows["index"], [2, 7, 9])
    np.testing.assert_array_equal(rows["area"], [1.0, 3.5, np.nan])
    assert list(rows["kind"]) == ["b", "a", ""]
    assert list(rows["color"]) == ["#ff000000", "", "#00ff0000"]
    again = legend_of(rows)
    np.testing.assert_array_equal(again.numbers, [2, 9])
    np.testing.assert_array_equal(again.index, [2, 7, 9])


def test_rows_without_an_index_are_those_of_labels_from_0() -> None:
    legend = Legend(np.array([1]), np.ones((1, 4)), {"area": np.array([0, 5, 6])})
    np.testing.assert_array_equal(legend.index, [0, 1, 2])
    assert legend.rows()["area"].dtype.kind == "i"


def test_colours_as_texts() -> None:
    assert hex_of(np.array([1, 0, 0.5, 1])) == "#ff0080ff"
    np.testing.assert_array_equal(colour_of_hex("#FF0080"), [1, 0, 128 / 255, 1])
    for text in ("", "red", "#ff00", "#gg0000", "nan"):
        assert colour_of_hex(text) is None
