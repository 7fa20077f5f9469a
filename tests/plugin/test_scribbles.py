"""Colours and features of labels in a window, in files, in recipes and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from pytestqt.qtbot import QtBot
from tests.helpers import scribbling

import napari_framewise as fw
from napari_framewise.io.recipes.files import save_recipe
from napari_framewise.plugin.layers.layers_in import stack_of_layer
from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.plugin.readers import read
from napari_framewise.tools import registry

from .conftest import run_to_end, settle

INKS = {1: (1.0, 0.0, 0.0, 1.0), 3: (0.0, 0.2, 1.0, 1.0)}


@pytest.fixture(autouse=True)
def _tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TOOLS, "scribbling", scribbling.ENTRY)


def strokes() -> Labels:
    """Painted on a finer grid than that of the image."""
    colours = {None: np.zeros(4), 0: np.zeros(4)} | {k: np.array(v) for k, v in INKS.items()}
    labels = np.zeros((40, 60), np.uint8)
    labels[4:8, 6:20], labels[20:22, 30:32] = 1, 3
    return Labels(
        labels,
        name="strokes",
        translate=(-0.5, -0.5),
        colormap=DirectLabelColormap(color_dict=colours),
        features={"index": [1, 3], "who": ["me", "you"]},
    )


@pytest.fixture
def painted(
    make_napari_viewer: Callable[..., Any], qtbot: QtBot
) -> Iterator[tuple[Any, ToolPanel]]:
    viewer = make_napari_viewer()
    viewer.add_image(np.full((20, 30), 7, np.uint8), name="grey", scale=(2, 2))
    viewer.add_layer(strokes())
    panel = ToolPanel(viewer, scribbling.TOOL)
    viewer.window.add_dock_widget(panel, name="Scribbling")
    settle(qtbot, panel)
    panel.inputs_form.choose("scribbles", [(viewer.layers["strokes"], None)])
    settle(qtbot, panel)
    yield viewer, panel
    panel.cancel()
    qtbot.waitUntil(lambda: not panel.busy)
    settle(qtbot, panel)


def inks(columns: Any) -> np.ndarray:
    names = ("object", "pixels", "red", "green", "blue")
    return np.column_stack([columns[name] for name in names])


WANTED = [(1, 14, 1.0, 0.0, 0.0), (3, 1, 0.0, 0.2, 1.0)]


def test_the_colours_of_labels_reach_a_tool_and_come_back(
    painted: tuple[Any, ToolPanel], qtbot: QtBot, tmp_path: Path
) -> None:
    viewer, panel = painted
    run_to_end(qtbot, panel)
    record = panel.result.record
    assert record is not None
    np.testing.assert_allclose(inks(record.outcome.table().columns), WANTED, atol=1e-6)
    made = viewer.layers["marked"]
    assert isinstance(made, Labels)
    for number, colour in INKS.items():
        np.testing.assert_allclose(made.get_color(number), colour, atol=1e-6)
    assert made.features["pixels"].tolist() == [14, 1]
    # The same from its recipe, whose labels were only in memory.
    save_recipe(record.recipe, tmp_path / "r.json", record.memory)
    (run,) = fw.run_recipe(tmp_path / "r.json", output=tmp_path / "out").runs
    assert run.failure is None, run.error
    np.testing.assert_allclose(inks(run.outcomes[0].table().columns), WANTED, atol=1e-6)
    # And the layer that was written of it opens as labels in these colours.
    (path,) = (tmp_path / "out").glob("*marked.zarr")
    data, options, kind = read(str(path))[0]
    assert kind == "labels"
    opened = Labels(data, **options)
    np.testing.assert_allclose(opened.get_color(3), INKS[3], atol=1e-6)
    assert opened.features["pixels"].tolist() == [14, 1]


def test_another_colour_of_a_label_is_followed(
    painted: tuple[Any, ToolPanel], qtbot: QtBot
) -> None:
    viewer, panel = painted
    labels, told = viewer.layers["strokes"], []
    panel.inputs_form.changed.connect(lambda: told.append(1))
    # Choosing a label changes no colour.
    labels.selected_label = 3
    settle(qtbot, panel)
    assert not told
    colours = dict(labels.colormap.color_dict) | {3: np.array([0.0, 1.0, 0.0, 1.0])}
    labels.colormap = DirectLabelColormap(color_dict=colours)
    settle(qtbot, panel)
    assert told
    run_to_end(qtbot, panel)
    record = panel.result.record
    assert record is not None
    found = inks(record.outcome.table().columns)
    np.testing.assert_allclose(found[1], (3, 1, 0.0, 1.0, 0.0), atol=1e-6)


@pytest.mark.parametrize("ending", ["zarr", "tif"])
def test_a_saved_layer_of_labels_keeps_its_colours(tmp_path: Path, ending: str) -> None:
    path = str(tmp_path / f"strokes.{ending}")
    strokes().save(path, plugin="napari-framewise")
    data, options, kind = read(path)[0]
    assert kind == "labels"
    opened = Labels(np.asarray(data), **options)
    np.testing.assert_allclose(opened.get_color(3), INKS[3], atol=1e-6)
    assert opened.features["who"].tolist() == ["me", "you"]


def test_the_usual_colours_of_labels_are_those_shown() -> None:
    layer = Labels(np.arange(300, dtype=np.uint16).reshape(20, 15))
    legend = stack_of_layer(layer).legend
    assert legend is not None
    for number in (1, 2, 49, 50, 51, 200, 255):
        np.testing.assert_allclose(legend.colour_of(number), layer.get_color(number), atol=1e-6)
