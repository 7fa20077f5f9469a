"""Reproduce: what came out again, what did not, and what has changed since."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.recipes import add_tools, everything_on, write_frames

import napari_framewise as fw
from napari_framewise.io.recipes.files import load_recipe, save_recipe
from napari_framewise.io.runs.batch import run_recipe
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


def test_the_last_bit_is_rounding_and_more_is_not(recorded: Path, tmp_path: Path) -> None:
    write_frames(tmp_path / "film.npy")
    then = load_recipe(recorded)
    for factor, verdict in ((2 * (1 + 1e-13), "equal to rounding"), (2.0001, "differs")):
        again = everything_on(tmp_path / "film.npy", factor=factor)
        place = tmp_path / f"out {factor}"
        run_recipe(again, output=Output(place, results=True))
        now = load_recipe(place / "film.recipe.json")
        items = {item.name: item for item in compared(then, now).items}
        assert items["layer film doubled"].verdict == verdict
        expected = pytest.approx(factor / 2 - 1, rel=0.1, abs=2e-15)
        assert items["layer film doubled"].difference == expected


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
