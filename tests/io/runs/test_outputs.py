from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.recipes import add_tools

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.io.formats.models import read_model
from napari_framewise.io.formats.tables import read_table
from napari_framewise.io.opening import open_stack
from napari_framewise.io.runs import writing
from napari_framewise.io.runs.outputs import Output
from napari_framewise.io.runs.writing import write_outcome
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run

DATA = np.random.default_rng(0).integers(0, 99, (4, 5, 6)).astype(np.uint16)
TABLES = {"cells-means.csv", "cells-totals.csv", "cells-translation.npz"}
COORDINATES = {"cells-spots.points.csv", "cells-flow.vectors.csv", "cells-outlines.shapes.csv"}


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    add_tools(monkeypatch)
    axes = {"axes": ("t", "y", "x"), "scale": (0.5, 2.0, 2.0), "units": ("s", "um", "um")}
    return run("everything", stack=stack_of(DATA, name="cells", **axes))  # type: ignore[arg-type]


def written(outcome: Outcome, output: Output, name: str = "cells") -> tuple[set[str], Any]:
    with output.prepared():
        run = write_outcome(outcome, output, name, Engine.local(1), {"recipe": 1})
        paths, left = finish(run, lambda _: None)
    assert all(path.exists() for path in paths)
    names = {path.name for path in output.folder.iterdir()}
    assert names == {path.name for path in paths}
    return names, left


def test_a_folder_gets_all_that_is_shown(tmp_path: Path, outcome: Outcome) -> None:
    names, left = written(outcome, Output(tmp_path / "new" / "out"))
    assert names == {*TABLES, *COORDINATES, "cells-doubled.zarr"}
    assert left == ("cells hidden",)
    folder = tmp_path / "new" / "out"
    columns = read_table(folder / "cells-means.csv")
    np.testing.assert_array_equal(columns["mean"], outcome.table("means").columns["mean"])
    image = open_stack(folder / "cells-doubled.zarr")
    np.testing.assert_array_equal(image.read(0, 4), 2.0 * DATA)
    assert [axis.scale for axis in image.axes] == [0.5, 2.0, 2.0]
    assert read_model(folder / "cells-translation.npz").kind == "translation"


@pytest.mark.parametrize(
    ("layers", "extra", "left"),
    [
        ("all", {*COORDINATES, "cells-doubled.tif", "cells-hidden.tif"}, ()),
        (
            "none",
            set(),
            tuple(f"cells {n}" for n in ["hidden", "doubled", "spots", "flow", "outlines"]),
        ),
    ],
)
def test_layers_are_chosen(
    tmp_path: Path, outcome: Outcome, layers: Any, extra: set[str], left: tuple[str, ...]
) -> None:
    output = Output(tmp_path / "out", layers=layers, image_format="tif")
    assert written(outcome, output) == ({*TABLES, *extra}, left)


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("means.csv", lambda path: list(read_table(path)) == ["frame", "mean"]),
        ("a.zarr", lambda path: open_stack(path).read(0, 4).tolist() == (2.0 * DATA).tolist()),
        ("a.tif", lambda path: open_stack(path).read(0, 4).tolist() == (2.0 * DATA).tolist()),
        ("shifts.npz", lambda path: read_model(path).kind == "translation"),
    ],
)
def test_one_file_takes_the_first_of_its_kind(
    tmp_path: Path, outcome: Outcome, name: str, check: Any
) -> None:
    names, left = written(outcome, Output(tmp_path / "out" / name))
    assert (names, left) == ({name}, ())
    assert check(tmp_path / "out" / name)


def test_a_kind_that_the_tool_does_not_give_is_named(tmp_path: Path) -> None:
    output = Output(tmp_path / "out" / "model.npz")
    table = Outcome(tables=(Table("a", "frame", {"frame": [1]}),))
    with pytest.raises(ValueError, match=r"model\.npz asks for a model, but the tool gives none"):
        written(table, output)
    assert not output.folder.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("results.xlsx", "looks like a file of a kind that is not written; give a folder, or a"),
        ("file.there/out", "The folder .* can't be written: Not a directory; choose another"),
        ("file.there", "The folder .* can't be written: File exists; choose another"),
        ("there.csv", r"there\.csv is there already; choose another, or overwrite it"),
    ],
)
def test_places_that_can_not_be_written(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file.there").touch()
    (tmp_path / "there.csv").touch()
    with pytest.raises(ValueError, match=message), Output(tmp_path / name).prepared():
        pytest.fail("it was prepared")


def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path: Path, outcome: Outcome) -> None:
    (tmp_path / "cells-totals.csv").write_text("mine")
    with pytest.raises(ValueError, match=r"cells-totals\.csv is there already"):
        written(outcome, Output(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["cells-totals.csv"]
    assert (tmp_path / "cells-totals.csv").read_text() == "mine"
    written(outcome, Output(tmp_path, overwrite=True))
    written(outcome, Output(tmp_path, overwrite=True))
    assert list(read_table(tmp_path / "cells-totals.csv")) == ["total", "many"]


def test_a_folder_of_another_name_is_never_removed(tmp_path: Path, outcome: Outcome) -> None:
    (tmp_path / "cells-means.csv").mkdir()
    (tmp_path / "cells-means.csv" / "precious").touch()
    with pytest.raises(OSError, match="directory"):
        written(outcome, Output(tmp_path, overwrite=True))
    assert (tmp_path / "cells-means.csv" / "precious").exists()


def test_what_is_cancelled_leaves_nothing(tmp_path: Path, outcome: Outcome) -> None:
    output = Output(tmp_path / "out")
    with output.prepared():
        run = write_outcome(outcome, output, "cells", Engine.local(1))
        next(run)
        assert any(output.folder.iterdir())
        run.close()
    assert not output.folder.exists()


def test_a_full_disk_is_told_before(
    tmp_path: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match="would take 960 bytes, but only 10 bytes are free"):
        written(outcome, Output(tmp_path / "out"))


def test_a_writer_that_fails_leaves_nothing(
    tmp_path: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(stack: Any, path: Path, **_: Any) -> Generator[Any, None, Path]:
        path.mkdir()
        yield 0.5
        raise OSError("disk unplugged")

    monkeypatch.setattr(writing, "write_image", failing)
    with pytest.raises(OSError, match="disk unplugged"):
        written(outcome, Output(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_short_name_takes_nothing_from_a_title(tmp_path: Path) -> None:
    output = Output(tmp_path)
    assert output.path("s", "statistics", ".csv").name == "s-statistics.csv"
    assert output.path("cells", "cells doubled", ".tif").name == "cells-doubled.tif"


def test_names_that_are_too_long_for_a_disk_are_shortened(tmp_path: Path) -> None:
    path = Output(tmp_path).path("n" * 244, "statistics", ".csv")
    path.touch()
    assert path.name.endswith("-statistics.csv")
