"""Reproduce: what came out again, what did not, and what has changed since."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.recipes import add_tools, everything_on, write_frames

import napari_framewise as fw
from napari_framewise.io.recipes.files import load_recipe, save_recipe
from napari_framewise.io.runs import kept_values
from napari_framewise.io.runs.batch import run_recipe
from napari_framewise.io.runs.differences import Difference
from napari_framewise.io.runs.outputs import Output
from napari_framewise.io.runs.reproducing import IDENTICAL, compared


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tools(monkeypatch)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A recipe with its results."""
    write_frames(tmp_path / "film.npy")
    output = Output(tmp_path / "out", results=True)
    run_recipe(everything_on(tmp_path / "film.npy"), output=output)
    return tmp_path / "out" / "film.recipe.json"


def verdicts(found: fw.Table) -> dict[str, str]:
    columns = found.columns
    return dict(zip(columns["result"].tolist(), columns["verdict"].tolist(), strict=True))


def test_the_same_run_is_identical_to_the_bit(recorded: Path) -> None:
    found = fw.reproduce(recorded)
    assert found.reproduced
    told = verdicts(found.table())
    assert set(told.values()) == {IDENTICAL}
    assert {"table means: mean", "layer film doubled", "model translation: shifts"} <= set(told)
    assert found.summary == f"{len(told)} results: {len(told)} identical."


def test_a_changed_input_is_named_and_its_results_differ(recorded: Path, tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "film.npy")
    frames[1, 2, 3] += 1
    np.save(tmp_path / "film.npy", frames)
    found = fw.reproduce(recorded)
    assert not found.reproduced
    assert found.changed_inputs == ("1, stack, 1",)
    told = verdicts(found.table())
    assert told["table means: mean"] == "differs"
    assert told["table means: frame"] == IDENTICAL


def with_factor(recorded: Path, factor: float) -> None:
    content = json.loads(recorded.read_text(encoding="utf-8"))
    content["steps"][0]["parameters"]["factor"] = factor
    recorded.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("kept_in", ["one file", "zarr"])
def test_the_last_bit_is_rounding_and_more_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_in: str
) -> None:
    if kept_in == "zarr":
        # As of an image of more than 64 MiB: what was written of it is what is compared with.
        monkeypatch.setattr(kept_values, "_MOST_BYTES", 0)
    write_frames(tmp_path / "film.npy")
    output = Output(tmp_path / "out", results=True)
    run_recipe(everything_on(tmp_path / "film.npy"), output=output)
    recorded = tmp_path / "out" / "film.recipe.json"
    (record,) = (each for each in load_recipe(recorded).results[0] if "doubled" in each.name)
    assert record.kept is not None
    assert record.kept.endswith(".zarr" if kept_in == "zarr" else ".results.npz")
    for factor, verdict in ((2 * (1 + 1e-13), "equal to rounding"), (2.0001, "differs")):
        with_factor(recorded, factor)
        found = fw.reproduce(recorded)
        items = {item.name: item for item in found.items}
        assert items["layer film doubled"].verdict == verdict
        expected = pytest.approx(factor / 2 - 1, rel=0.1, abs=2e-15)
        assert items["layer film doubled"].difference == expected
        largest = np.load(tmp_path / "film.npy").max() * (factor - 2)
        assert items["layer film doubled"].largest == pytest.approx(largest, rel=0.1, abs=1e-12)
        assert "The largest difference is" in found.summary


def test_values_that_changed_places_differ_though_their_figures_agree(
    recorded: Path, tmp_path: Path
) -> None:
    frames = write_frames(tmp_path / "film.npy")
    np.save(tmp_path / "film.npy", frames[:, ::-1])
    items = {item.name: item for item in fw.reproduce(recorded).items}
    doubled = items["layer film doubled"]
    assert doubled.verdict == "differs"
    assert doubled.largest == np.abs(2.0 * (frames - frames[:, ::-1].astype(float))).max()
    # Where the values are gone, it is only said that the figures agree; that is no reproduction.
    (tmp_path / "out" / "film.results.npz").unlink()
    found = fw.reproduce(recorded)
    doubled = next(item for item in found.items if item.name == "layer film doubled")
    assert doubled.verdict == "figures agree"
    assert not found.reproduced


def test_the_folder_of_results_can_be_moved(recorded: Path, tmp_path: Path) -> None:
    recorded.parent.rename(tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / recorded.name
    with_factor(moved, 2 * (1 + 1e-13))
    verdicts_now = verdicts(fw.reproduce(moved).table())
    assert verdicts_now["layer film doubled"] == "equal to rounding"


@pytest.mark.parametrize(
    ("then", "now", "largest"),
    [
        ([1.0, np.nan, 4.0], [1.0, np.nan, 4.5], 0.5),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([1.0, np.inf], [1.0, np.inf], 0.0),
        ([1.0, np.inf], [1.0, -np.inf], np.inf),
        ([0, 255], [255, 0], 255.0),
        ([2**63 - 1, 0], [2**63 - 2, 0], 1.0),
        ([True, False], [True, True], 1.0),
        ([1e308], [-1e308], np.inf),
    ],
)
def test_differences_are_those_of_the_values(
    then: list[float], now: list[float], largest: float
) -> None:
    dtype = np.uint8 if then == [0, 255] else None
    found = Difference()
    found.add(np.array(then, dtype), np.array(now, dtype))
    assert found.largest == largest


def test_what_is_missing_or_new_is_said(recorded: Path) -> None:
    then = load_recipe(recorded)
    fewer = then.model_copy(update={"results": (then.results[0][1:],)})
    gone = then.results[0][0].name
    assert [i.name for i in compared(then, fewer).items if i.verdict == "missing"] == [gone]
    assert [i.name for i in compared(fewer, then).items if i.verdict == "new"] == [gone]
    assert not compared(then, fewer).reproduced


def test_another_version_is_named(recorded: Path) -> None:
    content = json.loads(recorded.read_text(encoding="utf-8"))
    content["versions"]["numpy"] = "1.0"
    recorded.write_text(json.dumps(content), encoding="utf-8")
    found = fw.reproduce(recorded)
    assert found.reproduced
    assert found.changed_versions == (f"numpy 1.0 then, {np.__version__} now",)


def test_a_recipe_without_results_is_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "film.npy")
    save_recipe(everything_on(tmp_path / "film.npy"), tmp_path / "plain.json")
    with pytest.raises(ValueError, match="holds no results to compare with"):
        fw.reproduce(tmp_path / "plain.json")


def test_a_folder_is_hashed_with_its_names(tmp_path: Path) -> None:
    from napari_framewise.engine.progress import finish
    from napari_framewise.framework.recipe import InputRef, Recipe, Step
    from napari_framewise.io.runs.fingerprints import input_hashes

    def hashed() -> str:
        ref = InputRef(path=str(tmp_path / "photographs"))
        recipe = Recipe(steps=(Step(tool="statistics", inputs={"stack": (ref,)}),))
        return finish(input_hashes(recipe), lambda _: None)["1, stack, 1"]

    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "a.tif").write_bytes(b"one")
    (folder / "b.tif").write_bytes(b"two")
    before = hashed()
    assert hashed() == before
    (folder / "b.tif").rename(folder / "c.tif")
    assert hashed() != before
