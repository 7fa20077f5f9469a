"""Run a recipe in napari: several steps, on files and layers, one alone, edited, reproduced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from tests.helpers import pairing
from tests.helpers.recipes import add_tools, write_frames

import napari_framewise as fw
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.recipes.files import save_recipe
from napari_framewise.io.runs.batch import run_recipe
from napari_framewise.io.runs.outputs import Output
from napari_framewise.plugin.recipe_panel import RecipePanel
from napari_framewise.tools import registry


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tools(monkeypatch)


@pytest.fixture
def panel(qtbot: QtBot, viewer: ViewerModel) -> Iterator[RecipePanel]:
    made = RecipePanel(viewer)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.cancel()
    qtbot.waitUntil(lambda: not made.busy)


@pytest.fixture
def two_steps(tmp_path: Path) -> Path:
    """A recipe whose second step smooths what the first one gave."""
    write_frames(tmp_path / "film.npy")
    first = Step(
        tool="everything",
        inputs={"stack": (InputRef(path=str(tmp_path / "film.npy"), name="film"),)},
        parameters={"factor": 3.0},
    )
    second = Step(
        tool="asking",
        inputs={"stack": (InputRef(step=0, item="doubled"),)},
        parameters={"sigma": "1 px"},
    )
    save_recipe(Recipe(steps=(first, second)), tmp_path / "two.json")
    return tmp_path / "two.json"


def run(qtbot: QtBot, panel: RecipePanel) -> None:
    panel.run_button.click()
    finish(qtbot, panel)


def finish(qtbot: QtBot, panel: RecipePanel) -> None:
    qtbot.waitUntil(lambda: not panel.busy, timeout=60_000)


def states(panel: RecipePanel) -> list[str]:
    return [panel.files.list.item(row, 1).text() for row in range(panel.files.list.rowCount())]


def test_steps_that_use_earlier_results_run_on_the_recipe_s_own_input(
    qtbot: QtBot, viewer: ViewerModel, panel: RecipePanel, two_steps: Path
) -> None:
    panel.open(str(two_steps))
    run(qtbot, panel)
    wanted = fw.run_recipe(two_steps)
    (shown,) = [table for table in panel._tables if table.name == "measures"]
    np.testing.assert_array_equal(shown.columns["mean"], wanted.table("measures").columns["mean"])
    assert "film doubled" in viewer.layers
    assert "1 of 1 inputs done." in panel.message


def test_files_and_layers_come_out_as_one_table_and_a_bad_one_is_told(
    qtbot: QtBot, viewer: ViewerModel, panel: RecipePanel, two_steps: Path, tmp_path: Path
) -> None:
    frames = [write_frames(tmp_path / f"{n}.npy", seed=n) for n in (1, 2)]
    (tmp_path / "bad.npy").write_bytes(b"nothing")
    viewer.add_image(np.full((4, 5, 6), 7.0), name="painted")
    panel.open(str(two_steps))
    panel.files.add(*(str(tmp_path / name) for name in ("1.npy", "bad.npy", "2.npy")))
    viewer.layers.selection = {viewer.layers["painted"]}
    panel.files.add_layers()
    panel.files.folder.setText(str(tmp_path / "out"))
    run(qtbot, panel)
    assert states(panel) == ["done", "failed", "done", "done"]
    assert "3 of 4 inputs done; 1 failed" in panel.message
    (means,) = [table for table in panel._tables if table.name == "means"]
    assert means.columns["file"][-1] == "painted"
    columns = means.columns["mean"].reshape(3, 4)
    np.testing.assert_allclose(columns[0], 3.0 * frames[0].mean(axis=(1, 2)))
    np.testing.assert_allclose(columns[1], 3.0 * frames[1].mean(axis=(1, 2)))
    np.testing.assert_allclose(columns[2], 21.0)
    assert (tmp_path / "out" / "means.csv").exists()
    assert list((tmp_path / "out").glob("painted-step1-*doubled.zarr"))


def test_parameters_are_edited_and_one_step_runs_alone(
    qtbot: QtBot, viewer: ViewerModel, panel: RecipePanel, two_steps: Path
) -> None:
    panel.open(str(two_steps))
    panel.steps.forms[0].set_values({"factor": 1.0})
    panel.steps.forms[1].set_values({"sigma": "0 px", "measures": ("mean", "greatest")})
    panel.steps.buttons[1].click()
    finish(qtbot, panel)
    frames = np.load(two_steps.with_name("film.npy"))
    (table,) = panel._tables
    np.testing.assert_allclose(table.columns["greatest"], frames.max(axis=(1, 2)))
    assert panel.message.startswith("Step 2: Sigma is 0, 0 pixels.")
    assert sorted(panel._earlier) == [0, 1]
    panel.steps.forms[0].set_values({"factor": 2.0})
    assert panel._earlier == {}
    panel.steps.buttons[1].click()
    finish(qtbot, panel)
    np.testing.assert_allclose(panel._tables[0].columns["greatest"], 2 * frames.max(axis=(1, 2)))


def test_what_is_wrong_is_said_with_the_step(panel: RecipePanel, two_steps: Path) -> None:
    panel.open(str(two_steps))
    panel.steps.forms[1]._widgets["matrix"].setPlainText("1 2 3")
    panel.run()
    assert panel.message.startswith("Step 2, Asking: Matrix was given '1 2 3'")
    panel.open(str(two_steps.with_name("gone.json")))
    assert panel.message.startswith("There is no recipe")


def test_a_recipe_with_results_is_reproduced(
    qtbot: QtBot, panel: RecipePanel, two_steps: Path, tmp_path: Path
) -> None:
    panel.open(str(two_steps))
    assert not panel.reproduce_button.isEnabled()
    run_recipe(two_steps, output=Output(tmp_path / "kept", results=True))
    panel.open(str(tmp_path / "kept" / "film.recipe.json"))
    panel.reproduce_button.click()
    finish(qtbot, panel)
    (table,) = panel._tables
    assert set(table.columns["verdict"]) == {"identical"}
    assert "identical." in panel.message
    frames = np.load(tmp_path / "film.npy")
    np.save(tmp_path / "film.npy", frames + 1)
    panel.reproduce_button.click()
    finish(qtbot, panel)
    assert "The input has changed since: 1, stack, 1." in panel.message
    assert "differs" in set(panel._tables[0].columns["verdict"])


def test_a_folder_is_taken_file_by_file(panel: RecipePanel, tmp_path: Path) -> None:
    folder = tmp_path / "week"
    for number in range(3):
        write_frames(folder / f"{number}.npy")
    (folder / "notes.txt").write_text("nothing")
    panel.files.add_folder(str(folder))
    assert [panel.files.list.item(row, 0).text() for row in range(3)] == ["0.npy", "1.npy", "2.npy"]
    assert panel.files.list.rowCount() == 3


def test_a_result_named_after_its_input_is_found_for_the_next_file(
    qtbot: QtBot, panel: RecipePanel, tmp_path: Path
) -> None:
    frames = [write_frames(tmp_path / f"{name}.npy", seed=n) for n, name in enumerate("abc")]
    steps = (
        Step(
            tool="normalise",
            inputs={"stack": (InputRef(path=str(tmp_path / "a.npy"), name="film"),)},
        ),
        Step(tool="statistics", inputs={"stack": (InputRef(step=0, item="film normalised"),)}),
    )
    save_recipe(Recipe(steps=steps), tmp_path / "two.json")
    panel.open(str(tmp_path / "two.json"))
    panel.files.add(*(str(tmp_path / f"{name}.npy") for name in "abc"))
    run(qtbot, panel)
    assert states(panel) == ["done"] * 3, panel.message
    table = next(table for table in panel._tables if {"mean", "std"} <= set(table.columns))
    for each, found in zip(frames, table.columns["mean"], strict=True):
        low, high = each.min(axis=(1, 2)), each.max(axis=(1, 2))
        wanted = ((each - low[:, None, None]) / (high - low)[:, None, None]).mean(axis=(1, 2))
        np.testing.assert_allclose(found, wanted.mean(), rtol=1e-6)


def test_results_lie_as_the_layers_that_they_are_made_of(
    qtbot: QtBot, viewer: ViewerModel, panel: RecipePanel, tmp_path: Path
) -> None:
    write_frames(tmp_path / "film.npy")
    first = Step(
        tool="normalise",
        inputs={"stack": (InputRef(path=str(tmp_path / "film.npy"), name="film"),)},
    )
    second = Step(tool="standardise", inputs={"stack": (InputRef(step=0),)})
    save_recipe(Recipe(steps=(first, second)), tmp_path / "two.json")
    turned = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
    moved = np.eye(4)
    moved[1:3, 3] = 5, -7
    placed = {"scale": (1, 2, 3), "rotate": turned, "affine": moved, "translate": (0, 4, 2)}
    names = ("one", "two")
    layers = [
        viewer.add_image(np.arange(120.0).reshape(4, 5, 6), name=name, **placed) for name in names
    ]
    panel.open(str(tmp_path / "two.json"))
    viewer.layers.selection = set(layers)
    panel.files.add_layers()
    run(qtbot, panel)
    for name, layer in zip(names, layers, strict=True):
        for made in (f"{name} normalised", f"{name} normalised standardised"):
            for corner in ((0, 0, 0), (3, 4, 5)):
                np.testing.assert_allclose(
                    viewer.layers[made].data_to_world(corner), layer.data_to_world(corner)
                )
            told = viewer.layers[made].metadata["framewise"]
            assert told["tool"] == ("standardise" if "standardised" in made else "normalise")


def test_a_file_that_is_open_lends_its_place_to_a_step_run_alone(
    qtbot: QtBot, viewer: ViewerModel, panel: RecipePanel, two_steps: Path
) -> None:
    path = str(two_steps.with_name("film.npy"))
    layer = viewer.add_image(
        np.load(path),
        name="film",
        rotate=[[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        metadata={"framewise": {"origin": {"path": path}}},
    )
    panel.open(str(two_steps))
    panel.steps.buttons[0].click()
    finish(qtbot, panel)
    np.testing.assert_allclose(viewer.layers["film doubled"].rotate, layer.rotate)


def test_a_step_alone_whose_result_memory_does_not_hold_goes_to_the_folder(
    qtbot: QtBot, panel: RecipePanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TOOLS, "pairing", pairing.ENTRY)
    np.save(tmp_path / "many.npy", np.random.default_rng(3).normal(size=(150, 3, 4)))
    film = InputRef(path=str(tmp_path / "many.npy"), name="many")
    step = Step(tool="pairing", inputs={"stack": (film,)})
    save_recipe(Recipe(steps=(step,)), tmp_path / "pairs.json")
    panel.open(str(tmp_path / "pairs.json"))
    panel.run_alone(0)
    finish(qtbot, panel)
    assert "choose a folder for the output" in panel.message
    panel.files.folder.setText(str(tmp_path / "out"))
    panel.run_alone(0)
    finish(qtbot, panel)
    assert sorted(path.name for path in (tmp_path / "out" / "step 1 alone").iterdir()) == [
        "difference.ome.zarr", "distance.ome.zarr",
    ]  # fmt: skip
