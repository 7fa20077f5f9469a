"""Tables come back from CSV to the last bit, and bad files get one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_framewise.framework.outcome import Table
from napari_framewise.io import read_table, write_table

COLUMNS = st.integers(1, 12).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            "float": hnp.arrays(np.float64, rows),
            "single": hnp.arrays(np.float32, rows),
            "whole": hnp.arrays(np.int64, rows),
            "small": hnp.arrays(np.uint8, rows),
            "flag": hnp.arrays(np.bool_, rows),
            'odd, "name"': hnp.arrays(np.float64, rows),
        }
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COLUMNS)
def test_every_number_comes_back(tmp_path: Path, columns: dict[str, np.ndarray]) -> None:
    table = Table("coefficients", "frame", columns)
    write_table(table, tmp_path / "a.csv")
    back = read_table(tmp_path / "a.csv")
    assert list(back) == list(columns)
    for name, values in columns.items():
        np.testing.assert_array_equal(back[name].astype(values.dtype), values)
    assert back["flag"].dtype == bool
    assert back["whole"].dtype == np.int64


def test_text_comes_back(tmp_path: Path) -> None:
    words = np.array(["interior", "at the bound, 0.7", 'said "no"', "", "line\nbreak"])
    write_table(Table("status", "frame", {"n": np.arange(5), "status": words}), tmp_path / "a.csv")
    assert read_table(tmp_path / "a.csv")["status"].tolist() == words.tolist()


def test_others_read_it_too(tmp_path: Path) -> None:
    values = np.array([0.1, np.nan, np.inf, -1e-300, 2 / 3])
    write_table(Table("t", "frame", {"frame": np.arange(5), "x": values}), tmp_path / "a.csv")
    frame = pd.read_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(frame["x"], values, rtol=1e-15)
    assert (tmp_path / "a.csv").read_text().splitlines()[:3] == ["frame,x", "0,0.1", "1,nan"]


def test_a_table_without_rows(tmp_path: Path) -> None:
    write_table(Table("t", "frame", {"frame": np.arange(0), "x": np.zeros(0)}), tmp_path / "a.csv")
    assert {name: len(values) for name, values in read_table(tmp_path / "a.csv").items()} == {
        "frame": 0,
        "x": 0,
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_a_spreadsheet_wrote(tmp_path: Path, delimiter: str) -> None:
    rows = (("image", "value", "note"), ("a.tif", "1.5", ""), ("b.tif", "", "x"), ())
    text = "\r\n".join(delimiter.join(row) for row in rows)
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = read_table(tmp_path / "a.csv")
    assert table["image"].tolist() == ["a.tif", "b.tif"]
    np.testing.assert_array_equal(table["value"], [1.5, np.nan])
    assert table["note"].tolist() == ["", "x"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\x00\xff\xfe\x80 binary", "no table in text form"),
        (b"1.5,2\n3,4\n", r"begins with the numbers 1\.5, 2"),
        (b"a,b\n1,2\n3\n", "1 cells in row 3 and 2 in its header"),
        (b"a,a\n1,2\n", "names a column twice"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_table(tmp_path / "a.csv")


def test_whole_numbers_that_are_too_large_become_floats(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n99999999999999999999\n")
    assert read_table(tmp_path / "a.csv")["n"].tolist() == [1.0, 1e20]
