"""What was chosen stays chosen: results are no inputs, layers that come and go change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_framewise.plugin.layers.layers_in import made_by_tool
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.tools.registry import get_tool

from .conftest import MakePanel, run_to_end, settle


def chosen(panel: ToolPanel) -> dict[str, list[str]]:
    layers = panel.inputs_form.layers()
    return {role: [layer.name for layer in each] for role, each in layers.items() if each}


def add_mixture(viewer: ViewerModel) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(100, 10, (2, 16, 16))
    parts = rng.random((12, 1, 1))
    viewer.add_image(a, name="A")
    viewer.add_image(b, name="B")
    viewer.add_image(parts * a + (1 - parts) * b + rng.normal(0, 1, (12, 16, 16)), name="S")


def test_results_are_never_inputs_of_the_next_run(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    add_mixture(viewer)
    panel = make_panel(get_tool("mixing"))
    wanted = {"stack": ["S"], "references": ["A", "B"]}
    assert chosen(panel) == wanted
    for _ in range(2):
        run_to_end(qtbot, panel)
        assert chosen(panel) == wanted
    assert any(made_by_tool(layer) for layer in viewer.layers)


@pytest.mark.parametrize("name", ["statistics", "normalise", "standardise", "alignment", "flow"])
def test_a_new_panel_takes_the_users_layer_not_a_result(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, name: str
) -> None:
    viewer.add_image(np.random.default_rng(0).random((6, 24, 24)), name="S")
    panel = make_panel(get_tool("normalise"))
    run_to_end(qtbot, panel)
    assert made_by_tool(viewer.layers[-1])
    assert chosen(make_panel(get_tool(name)))["stack"] == ["S"]


def test_layers_that_come_change_nothing_once_the_panel_could_run(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    add_mixture(viewer)
    panel = make_panel(get_tool("mixing"))
    before = chosen(panel)
    viewer.add_image(np.ones((12, 16, 16)), name="T")
    viewer.add_image(np.ones((16, 16)), name="C")
    viewer.add_labels(np.ones((16, 16), int), name="L")
    settle(qtbot, panel)
    assert chosen(panel) == before


@pytest.mark.parametrize("gone", ["S", "A", "B"])
def test_a_chosen_layer_that_goes_is_named_and_not_replaced(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, gone: str
) -> None:
    add_mixture(viewer)
    viewer.add_image(np.ones((12, 16, 16)), name="another film")
    viewer.add_image(np.ones((16, 16)), name="another image")
    panel = make_panel(get_tool("mixing"))
    panel.inputs_form.roles["stack"].pickers[0].choose(viewer.layers["S"])
    role = panel.inputs_form.roles["references"]
    role.set_count(2)
    for picker, name in zip(role.pickers, ("A", "B"), strict=True):
        picker.choose(viewer.layers[name])
    settle(qtbot, panel)
    layer = viewer.layers[gone]
    viewer.layers.remove(layer)
    settle(qtbot, panel)
    assert not panel.bar.run_button.isEnabled()
    assert f"{gone} was removed" in panel.bar.message
    left = [name for names in chosen(panel).values() for name in names]
    assert left == [each for each in ("S", "A", "B") if each != gone]
    viewer.layers.append(layer)
    settle(qtbot, panel)
    assert chosen(panel) == {"stack": ["S"], "references": ["A", "B"]}
    assert panel.bar.run_button.isEnabled()


def test_a_mask_that_goes_is_not_left_out_silently(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    viewer.add_image(np.random.default_rng(0).random((6, 8, 9)), name="S")
    mask = viewer.add_labels(np.ones((8, 9), int), name="M")
    panel = make_panel(get_tool("statistics"))
    picker = panel.inputs_form.roles["mask"].pickers[0]
    picker.choose(mask)
    viewer.layers.remove(mask)
    settle(qtbot, panel)
    assert "Mask: M was removed; choose another layer or none." in panel.bar.message
    picker.choose(None)
    settle(qtbot, panel)
    assert panel.bar.run_button.isEnabled()


def test_an_emptied_viewer_starts_the_form_afresh(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    add_mixture(viewer)
    panel = make_panel(get_tool("mixing"))
    viewer.layers.clear()
    settle(qtbot, panel)
    assert "was removed" not in panel.bar.message
    add_mixture(viewer)
    settle(qtbot, panel)
    assert chosen(panel) == {"stack": ["S"], "references": ["A", "B"]}


def test_a_result_that_was_chosen_is_followed_when_it_is_updated(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    viewer.add_image(np.random.default_rng(0).random((6, 8, 9)), name="S")
    first = make_panel(get_tool("normalise"))
    run_to_end(qtbot, first)
    result = viewer.layers[-1]
    second = make_panel(get_tool("statistics"))
    picker = second.inputs_form.roles["stack"].pickers[0]
    picker.choose(result)
    data, options, _ = result.as_layer_data_tuple()
    viewer.layers.remove(result)
    assert picker.layer is None
    viewer.add_image(np.asarray(data) + 1, **options)
    settle(qtbot, second)
    assert picker.layer is viewer.layers[-1]
