from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.recipes import add_tools, everything_on, write_frames

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress, finish
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.formats.tables import read_table
from napari_framewise.io.recipes.files import load_recipe, save_recipe
from napari_framewise.io.recipes.naming import parse_input
from napari_framewise.io.runs.batch import Batch, FileRun, run_batch, run_recipe
from napari_framewise.io.runs.outputs import Output
from napari_framewise.stacks.stack import Selection


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tools(monkeypatch)


@pytest.fixture
def days(tmp_path: Path) -> dict[str, Any]:
    """Three files, two of one name, and their frames."""
    return {
        str(tmp_path / f"{name}.npy"): write_frames(tmp_path / f"{name}.npy", n, seed=n)
        for name, n in {"monday/cells": 3, "tuesday/cells": 4, "other": 2}.items()
    }


def means(batch: Batch) -> Any:
    return batch.table("means").columns["mean"]


def test_one_table_holds_all_files(days: dict[str, Any], tmp_path: Path) -> None:
    recipe = everything_on(tmp_path / "monday" / "cells.npy", factor=3.0)
    batch = run_recipe(recipe, list(days))
    assert [run.name for run in batch.runs] == ["monday-cells", "tuesday-cells", "other"]
    table = batch.table("means")
    assert list(table.columns) == ["file", "frame", "mean"]
    assert table.columns["file"].tolist() == [path for path, f in days.items() for _ in f]
    expected = np.concatenate([3.0 * frames.mean(axis=(1, 2)) for frames in days.values()])
    np.testing.assert_allclose(table.columns["mean"], expected)
    assert batch.failed == ()
    assert batch.summary == "3 of 3 inputs done."
    assert len(batch.runs[0].outcomes[0].layers) == 5


def test_a_recipe_runs_on_its_own_input(days: dict[str, Any], tmp_path: Path) -> None:
    (path, frames), *_ = days.items()
    save_recipe(everything_on(Path(path)), tmp_path / "r.json")
    batch = run_recipe(tmp_path / "r.json")
    np.testing.assert_allclose(means(batch), 2.0 * frames.mean(axis=(1, 2)))
    assert batch.runs[0].source == path


def test_the_selection_goes_with_the_recipe(days: dict[str, Any], tmp_path: Path) -> None:
    (step,) = everything_on(tmp_path / "other.npy").steps
    chosen = Selection(frames=(1, 3, 1), region=((0, 2), (0, 3)))
    ref = step.inputs["stack"][0].model_copy(update={"selection": chosen})
    recipe = Recipe(steps=(step.model_copy(update={"inputs": {"stack": (ref,)}}),))
    batch = run_recipe(recipe, list(days))
    lengths = [len(run.outcomes[0].table("means")) for run in batch.runs]
    assert lengths == [2, 2, 1]
    cut = [2.0 * frames[1:3, 0:2, 0:3].mean(axis=(1, 2)) for frames in days.values()]
    np.testing.assert_allclose(means(batch), np.concatenate(cut))
    own = run_recipe(recipe, [f"{next(iter(days))}@0"])
    assert own.table("means").columns["frame"].tolist() == [0]


def test_names_of_axes_go_with_the_recipe_and_scales_do_not(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 5, 6)))
    np.save(tmp_path / "b.npy", np.zeros((4, 3, 5, 6)))
    ref = InputRef(
        path=str(tmp_path / "a.npy"),
        axes=("z", "t", "y", "x"),
        scale=(9.0, 9.0, 9.0, 9.0),
        selection=Selection(frames_along=(0, 1)),
    )
    recipe = Recipe(steps=(Step(tool="everything", inputs={"stack": (ref,)}),))
    batch = run_recipe(recipe, [tmp_path / "b.npy"])
    layer = batch.runs[0].outcomes[0].layer("doubled")
    assert [axis.name for axis in layer.grid.axes] == ["z", "t", "y", "x"]
    assert [axis.scale for axis in layer.grid.axes] == [1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("written", [False, True])
def test_a_bad_file_is_reported_and_the_rest_goes_on(
    days: dict[str, Any], tmp_path: Path, written: bool
) -> None:
    good = list(days)
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY nothing")
    np.save(tmp_path / "complex.npy", np.ones((2, 5, 6), complex))
    bad = [str(tmp_path / name) for name in ("gone.npy", "broken.npy", "complex.npy")]
    inputs = [bad[0], good[0], bad[1], good[1], bad[2]]
    output = tmp_path / "out" if written else None
    batch = run_recipe(everything_on(Path(good[0])), inputs, output)
    assert [run.source for run in batch.failed] == bad
    assert len(means(batch)) == 7
    lines = batch.summary.splitlines()
    assert lines[0] == "2 of 5 inputs done; 3 failed:"
    assert lines[1] == f"  {bad[0]}: There is no file or folder {bad[0]}."
    assert "complex" in lines[3]
    if written:
        assert set(read_table(tmp_path / "out" / "means.csv")["file"]) == set(good[:2])


def test_a_defect_stops_nothing_either(days: dict[str, Any], tmp_path: Path) -> None:
    recipe = everything_on(tmp_path / "other.npy", crash=True)
    batch = run_recipe(recipe, list(days)[:2])
    assert [run.error for run in batch.failed] == ["ZeroDivisionError: crashed"] * 2
    assert isinstance(batch.runs[0].unexpected, ZeroDivisionError)
    assert batch.tables == ()


def test_outputs_are_named_after_their_inputs(days: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    batch = run_recipe(everything_on(tmp_path / "other.npy"), list(days), out)
    names = {path.name for path in out.iterdir()}
    assert {f"{name}-doubled.zarr" for name in ("monday-cells", "tuesday-cells", "other")} < names
    assert {"means.csv", "totals.csv", "other-means.csv", "everything.recipe.json"} < names
    assert names == {path.name for run in batch.runs for path in run.written} | {
        path.name for path in batch.written
    }
    assert batch.runs[0].left == ("monday-cells hidden",)
    assert batch.runs[0].outcomes[0].layers == ()
    table = read_table(out / "means.csv")
    np.testing.assert_array_equal(table["mean"], means(batch))
    assert list(table["file"]) == list(batch.table("means").columns["file"])


def test_one_csv_takes_all_files(days: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "all.csv"
    batch = run_recipe(everything_on(tmp_path / "other.npy"), list(days), out)
    np.testing.assert_array_equal(read_table(out)["mean"], means(batch))
    assert {path.name for path in batch.written} == {"all.csv", "all.recipe.json"}
    with pytest.raises(ValueError, match=r"all\.tif is one file, but there are 3 inputs; give a"):
        run_recipe(everything_on(tmp_path / "other.npy"), list(days), tmp_path / "all.tif")


def test_the_recipe_beside_the_results_gives_them_again(
    days: dict[str, Any], tmp_path: Path
) -> None:
    path = next(iter(days))
    recipe = everything_on(tmp_path / "other.npy", factor=0.3)
    batch = run_recipe(recipe, [f"{path}@1:"], tmp_path / "out")
    written = tmp_path / "out" / "cells.recipe.json"
    assert written in batch.written
    assert json.loads(written.read_text())["versions"]["napari-framewise"]
    assert batch.recipe == load_recipe(written)
    ref = load_recipe(written).steps[0].inputs["stack"][0]
    assert (ref.path, ref.selection.frames) == (path, (1, 3, 1))
    np.testing.assert_array_equal(means(run_recipe(written)), means(batch))


def test_results_that_are_there_are_refused_before_anything_runs(
    days: dict[str, Any], tmp_path: Path
) -> None:
    recipe = everything_on(tmp_path / "other.npy")
    run_recipe(recipe, (), tmp_path / "out")
    run = run_batch(recipe, [], Output(tmp_path / "out"), Engine.local(1))
    with pytest.raises(ValueError, match=r"other\.recipe\.json is there already"):
        next(run)
    again = Output(tmp_path / "out", overwrite=True)
    assert run_recipe(recipe, (), again).failed == ()


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "cells.tif", np.zeros((2, 5, 6), np.uint8))
    before = (tmp_path / "cells.tif").read_bytes()
    output = Output(tmp_path / "cells.tif", overwrite=True)
    batch = run_recipe(everything_on(tmp_path / "cells.tif"), (), output)
    assert "is an input; choose another place for the results" in batch.runs[0].error
    assert (tmp_path / "cells.tif").read_bytes() == before


def test_what_all_inputs_need_is_missed_once(days: dict[str, Any], tmp_path: Path) -> None:
    (step,) = everything_on(tmp_path / "other.npy").steps
    inputs = {**step.inputs, "marks": (InputRef(path=str(tmp_path / "gone.npy")),)}
    recipe = Recipe(steps=(step.model_copy(update={"inputs": inputs}),))
    with pytest.raises(ValueError, match=r"There is no file or folder .*gone\.npy"):
        run_recipe(recipe, list(days))


def test_a_recipe_without_an_input_needs_one() -> None:
    with pytest.raises(ValueError, match="Stack: nothing was given; it takes one stack"):
        run_recipe(Recipe(steps=(Step(tool="everything"),)))


def test_further_steps_follow_the_input_they_share(days: dict[str, Any], tmp_path: Path) -> None:
    (step,) = everything_on(tmp_path / "other.npy").steps
    model = {**step.inputs, "model": (InputRef(step=0),)}
    recipe = Recipe(steps=(step, step.model_copy(update={"inputs": model})))
    batch = run_recipe(recipe, list(days)[:1], tmp_path / "out")
    assert [len(outcome.table("means")) for outcome in batch.runs[0].outcomes] == [3, 3]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"cells-step1-means.csv", "cells-step2-means.csv"} < names
    assert len(means(batch)) == 6


def test_progress_says_which_file_and_each_is_reported(
    days: dict[str, Any], tmp_path: Path
) -> None:
    refs = [parse_input(path) for path in days]
    run = run_batch(everything_on(tmp_path / "other.npy"), refs, None, Engine.local(1))
    reports = list(run)
    labels = [report.label for report in reports if isinstance(report, Progress)]
    assert labels[0] == "1 of 3, monday-cells: Multiplying"
    done = [report.name for report in reports if isinstance(report, FileRun)]
    assert done == ["monday-cells", "tuesday-cells", "other"]


def test_a_cancelled_batch_keeps_what_was_finished(days: dict[str, Any], tmp_path: Path) -> None:
    refs = [parse_input(path) for path in days]
    output = Output(tmp_path / "out", layers="none")
    run = run_batch(everything_on(tmp_path / "other.npy"), refs, output, Engine.local(1))
    for report in run:
        if isinstance(report, FileRun):
            break
    run.close()
    names = {path.name for path in output.folder.iterdir()}
    assert names == {
        ".framewise.run",
        "monday-cells-means.csv",
        "monday-cells-totals.csv",
        "monday-cells-translation.npz",
    }
    with pytest.raises(ValueError, match="unfinished results of another run"):
        finish(
            run_batch(everything_on(tmp_path / "other.npy"), refs[:1], output, Engine.local(1)), str
        )
    batch = finish(
        run_batch(everything_on(tmp_path / "other.npy"), refs, output, Engine.local(1)), str
    )
    assert not batch.failed
    assert not (output.folder / ".framewise.run").exists()


def test_columns_that_only_some_files_have(days: dict[str, Any], tmp_path: Path) -> None:
    totals = run_recipe(everything_on(tmp_path / "other.npy"), list(days)).table("totals")
    assert list(totals.columns) == ["file", "total", "many"]
    np.testing.assert_array_equal(totals.columns["many"], [np.nan, 1.0, np.nan])
