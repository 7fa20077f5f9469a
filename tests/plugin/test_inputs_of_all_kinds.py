"""Numbers beside layers, roles of several kinds, results by one click, no inputs: in a panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from tests.helpers.takers import CALIBRATE, DECAY, RAMP, add_takers
from tests.helpers.toolbox import Translation

from napari_framewise.framework.model import Space
from napari_framewise.io.recipes.files import save_recipe
from napari_framewise.plugin.forms.either_picker import EitherPicker
from napari_framewise.plugin.forms.value_picker import SHELF
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.plugin.recipe_loading import load

from .conftest import MakePanel, run_to_end, settle


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_takers(monkeypatch)


def pickers(panel: ToolPanel, role: str) -> list[Any]:
    return panel.inputs_form.roles[role].pickers


def test_each_layer_has_a_box_for_its_number(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, tmp_path: Path
) -> None:
    for kelvin in (280, 300, 310.5):
        viewer.add_image(np.full((5, 6), 3 + 2 * kelvin), name=f"T{kelvin}K")
    panel = make_panel(CALIBRATE)
    assert panel.bar.message == (
        "Images: the temperature of T280K is missing; give one number with each image."
    )
    assert not panel.bar.run_button.isEnabled()
    for picker, text in zip(pickers(panel, "images"), ("280", "3e2", "T{}K"), strict=True):
        picker.number_box.set_text(text)
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    assert panel.record.outcome.summary == "3 + 2 T"
    refs = panel.record.recipe.steps[0].inputs["images"]
    assert [ref.values for ref in refs] == [(280,), (300,), (310.5,)]
    path = tmp_path / "recipe.json"
    save_recipe(panel.record.recipe, path, panel.record.memory)
    other = make_panel(CALIBRATE)
    load(str(path), viewer, CALIBRATE, other.inputs_form, other.parameters_form)
    settle(qtbot, other)
    assert [each.number_box.text for each in pickers(other, "images")] == ["280", "300", "T{}K"]
    run_to_end(qtbot, other)
    assert other.record.outcome.summary == "3 + 2 T"
    pickers(other, "images")[0].number_box.set_text("warm")
    settle(qtbot, other)
    assert "Temperature was given 'warm'" in other.bar.message


def film(viewer: ViewerModel) -> Any:
    return viewer.add_image(np.arange(4.0)[:, None, None] + np.zeros((4, 8, 9)), name="film")


def test_frames_have_numbers_and_a_result_is_taken_with_one_click(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    film(viewer)
    panel = make_panel(DECAY)
    assert "the time of film is missing" in panel.bar.message
    pickers(panel, "stack")[0].number_box.set_text("0 0.5 1 4")
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    assert panel.record.outcome.table("decay").columns["time"].tolist() == [0, 0.5, 1, 4]
    nodes = pickers(panel, "nodes")[0]
    assert nodes.layer is None
    assert nodes.use_button.text() == "use film nodes"
    nodes.use_button.click()
    settle(qtbot, panel)
    assert nodes.use_button.isHidden()
    run_to_end(qtbot, panel)
    assert panel.record.outcome.summary == "nothing, 2 nodes"


def test_a_model_or_a_layer_is_chosen_in_one_list(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    film(viewer)
    viewer.add_image(np.ones((3, 3)), name="psf")
    space = Space("a", (8, 9), (1.0, 1.0), ("pixel", "pixel"))
    panel = make_panel(DECAY)
    pickers(panel, "stack")[0].choose(viewer.layers["film"])
    pickers(panel, "stack")[0].number_box.set_text("0,1,2,3")
    blur = pickers(panel, "blur")[0]
    assert isinstance(blur, EitherPicker)
    SHELF.values["shift"] = Translation(space, space, np.zeros((1, 2)))
    SHELF.changed.emit()
    for choose, kind in (
        (lambda: blur.choose_name("shift"), "Translation"),
        (lambda: blur.choose(viewer.layers["psf"]), "Stack"),
        (lambda: blur.choose(None), "nothing"),
    ):
        choose()
        settle(qtbot, panel)
        run_to_end(qtbot, panel)
        assert panel.record.outcome.summary.startswith(kind)
    blur.choose_name("shift")
    viewer.add_image(np.ones((3, 3)), name="another")
    settle(qtbot, panel)
    assert isinstance(blur.value(), Translation)


def test_a_tool_without_inputs_previews_and_runs(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    panel = make_panel(RAMP)
    panel.parameters_form.set_values({"rows": 5, "columns": 7, "pixel_size": 0.5})
    panel.bar.preview_box.click()
    settle(qtbot, panel)
    assert viewer.layers[0].data.shape == (5, 7)
    run_to_end(qtbot, panel)
    (layer,) = [each for each in viewer.layers if not each.name.startswith("Preview")]
    assert layer.data.shape == (5, 7)
    np.testing.assert_array_equal(layer.scale, (0.5, 0.5))
    assert panel.record.methods()


def test_regions_of_a_recipe_come_back_as_shapes(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, tmp_path: Path
) -> None:
    layer = film(viewer)
    layer.scale = (1, 0.5, 0.5)
    square = np.array([[0.5, 0.5], [0.5, 1.5], [1.5, 1.5], [1.5, 0.5]])
    drawn = viewer.add_shapes([square, square], shape_type=["rectangle", "ellipse"], name="two")
    panel = make_panel(DECAY)
    pickers(panel, "stack")[0].number_box.set_text("0,1,2,3")
    pickers(panel, "regions")[0].choose(drawn)
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    before = panel.record.outcome.table("decay").columns
    path = tmp_path / "recipe.json"
    save_recipe(panel.record.recipe, path, panel.record.memory)
    other = make_panel(DECAY)
    load(str(path), viewer, DECAY, other.inputs_form, other.parameters_form)
    settle(qtbot, other)
    again = pickers(other, "regions")[0].layer
    assert list(again.shape_type) == ["rectangle", "ellipse"]
    run_to_end(qtbot, other)
    for name, values in other.record.outcome.table("decay").columns.items():
        np.testing.assert_array_equal(values, before[name])
