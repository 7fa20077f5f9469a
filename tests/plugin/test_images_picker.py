"""A folder of images that differ in size, in a panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image
from pytestqt.qtbot import QtBot

from napari_framewise.plugin.forms.images_picker import ImagesPicker
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.tools.registry import get_tool

from .conftest import MakePanel, run_to_end, settle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(6):
        image = rng.integers(0, 255, (10 + number, 20, 3)).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    return tmp_path


def picker_of(panel: Any) -> ImagesPicker:
    picker = panel.inputs_form.roles["stack"].pickers[0]
    assert isinstance(picker, ImagesPicker)
    return picker


def test_a_folder_is_measured_in_place_of_a_layer(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, folder: Path
) -> None:
    viewer.add_image(np.random.default_rng(1).random((5, 8, 9)), name="frames")
    panel = make_panel(get_tool("statistics"))
    picker = picker_of(panel)
    assert picker.layer is not None
    picker.choose_folder(str(folder))
    settle(qtbot, panel)
    assert isinstance(picker.value(), RaggedStack)
    assert picker.layer is None
    assert "6 images of 10 x 20 x 3 to 15 x 20 x 3" in picker.summary
    run_to_end(qtbot, panel)
    assert panel.record is not None
    assert len(panel.record.outcome.table("images")) == 6
    assert panel.record.recipe.steps[0].inputs["stack"][0].path == str(folder)


def test_a_layer_takes_the_folders_place_again(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel, folder: Path
) -> None:
    layer = viewer.add_image(np.random.default_rng(1).random((5, 8, 9)), name="frames")
    panel = make_panel(get_tool("statistics"))
    picker = picker_of(panel)
    picker.choose_folder(str(folder))
    settle(qtbot, panel)
    picker.choose(layer)
    settle(qtbot, panel)
    assert picker.layer is layer
    assert not isinstance(picker.value(), RaggedStack)


def test_a_folder_without_images_is_refused(make_panel: MakePanel, tmp_path: Path) -> None:
    panel = make_panel(get_tool("statistics"))
    with pytest.raises(ValueError, match="no image files"):
        picker_of(panel).choose_folder(str(tmp_path))
