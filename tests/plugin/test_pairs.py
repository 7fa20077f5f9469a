"""Pairs of images: a folder of images of any size in the panel, and both images of a click."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from tests.helpers import likeness, pairing
from tests.plugin.conftest import MakePanel, run_to_end, settle

from napari_framewise.framework.outcome import Table
from napari_framewise.io.ragged import open_images
from napari_framewise.plugin.results import whole_results
from napari_framewise.plugin.results.pair_view import PairView, read_pair, shift_between
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Selection, stack_of
from napari_framewise.tools import registry


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, list[Array]]:
    rng = np.random.default_rng(8)
    place = tmp_path / "photographs"
    place.mkdir()
    images = [rng.integers(0, 255, (12 + 2 * n, 20 - n)).astype(np.uint8) for n in range(6)]
    for number, image in enumerate(images):
        tifffile.imwrite(place / f"p{number}.tif", image)
    return place, images


def shown(pair: PairView) -> list[str]:
    return [] if pair.isHidden() else [label.text() for label in pair.names[:2]]


def test_a_folder_of_images_of_any_size_is_compared_in_the_panel(
    qtbot: QtBot,
    viewer: ViewerModel,
    make_panel: MakePanel,
    monkeypatch: pytest.MonkeyPatch,
    folder: tuple[Path, list[Array]],
) -> None:
    monkeypatch.setitem(registry.TOOLS, "likeness", likeness.ENTRY)
    place, images = folder
    panel = make_panel(likeness.TOOL)
    panel.inputs_form.roles["images"].pickers[0].choose_folder(str(place))
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    matrix = viewer.layers["photographs likeness"]
    thumbnails = np.stack([likeness.thumbnail(image, 8) for image in images])
    np.testing.assert_allclose(matrix.data, thumbnails @ thumbnails.T, atol=1e-12)
    assert viewer.layers.selection == {matrix}
    assert getattr(viewer, "scene", viewer).camera.center[-2:] == pytest.approx((2.5, 2.5))
    pair = panel.view.pair
    assert shown(pair) == []
    (click,) = matrix.mouse_drag_callbacks[-1:]
    click(matrix, SimpleNamespace(position=(1.2, 3.9)))
    assert shown(pair) == ["1: p1.tif", "4: p4.tif"]
    qtbot.waitUntil(lambda: not pair.busy)
    assert all(label.pixmap().width() for label in pair._pictures[:2])
    assert pair._parts[2].isHidden()
    click(matrix, SimpleNamespace(position=(1.2, 77.0)))
    assert shown(pair) == ["1: p1.tif", "4: p4.tif"]
    table = panel.view.shown_table
    assert table is not None
    panel.view.table.row_picked.emit(2)
    numbers = [int(table.columns[name][2]) for name in ("first", "second")]
    assert shown(pair) == [f"{number}: p{number}.tif" for number in numbers]
    qtbot.waitUntil(lambda: not pair.busy)


def test_frames_of_a_stack_are_named_by_their_number_in_it(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    frames = np.random.default_rng(1).normal(size=(9, 10, 12))
    film = viewer.add_image(frames, name="film")
    panel = make_panel(likeness.TOOL)
    panel.inputs_form.choose("images", [(film, Selection(frames=(3, 9, 2)))])
    settle(qtbot, panel)
    run_to_end(qtbot, panel)
    (click,) = viewer.layers["film likeness"].mouse_drag_callbacks[-1:]
    click(viewer.layers["film likeness"], SimpleNamespace(position=(0, 0, 2)))
    assert shown(panel.view.pair) == ["3: film", "7: film"]
    table = panel.view.shown_table
    assert table is not None
    assert set(table.columns["first"]) <= {3, 5, 7}
    panel.view.table.row_picked.emit(0)
    numbers = [int(table.columns[name][0]) for name in ("first", "second")]
    assert shown(panel.view.pair) == [f"{number}: film" for number in numbers]
    qtbot.waitUntil(lambda: not panel.view.pair.busy)


def test_a_long_name_is_cut_in_its_middle_and_never_the_number(
    qtbot: QtBot, viewer: ViewerModel, make_panel: MakePanel
) -> None:
    name = "2024-03-17 wild type, 488 nm, second attempt after the focus was set again, series 12"
    pair = PairView()
    qtbot.addWidget(pair)
    pair.set_images(stack_of(np.random.default_rng(0).normal(size=(3, 8, 9)), name=name))
    pair.resize(300, 200)
    pair.show_pair(0, 2, (1.0, 2.0))
    first, second, both = pair.names
    assert both.text() == "+1.00, +2.00 pixels, overlaid"
    assert first.text() == first.toolTip() == f"0: {name}"
    qtbot.waitUntil(lambda: first.width() > 0)
    drawn = second._elidedText()
    assert drawn.startswith("2: 2")
    assert drawn.endswith("12")
    assert pair.minimumSizeHint().width() < 400
    qtbot.waitUntil(lambda: not pair.busy)


def test_both_images_have_one_contrast_and_nan_is_dark() -> None:
    frames = np.zeros((2, 4, 4))
    frames[0, 0, 0], frames[1] = np.nan, 100.0
    first, second = read_pair(stack_of(frames), 0, 1)
    assert (first.max(), second.min()) == (0, 255)


def test_colours_stay_and_large_images_are_thinned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number, side in enumerate((1500, 20)):
        image = rng.integers(0, 255, (side, 30, 3)).astype(np.uint8)
        tifffile.imwrite(tmp_path / f"{number}.tif", image, photometric="rgb")
    first, second = read_pair(open_images(tmp_path), 0, 1)
    assert first.shape == (500, 10, 3)
    assert second.shape == (20, 30, 3)


def test_a_folder_is_asked_for_where_memory_does_not_hold_the_matrix(
    qtbot: QtBot,
    viewer: ViewerModel,
    make_panel: MakePanel,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    frames = np.random.default_rng(1).normal(size=(40, 5, 6))
    viewer.add_image(frames, name="film")
    panel = make_panel(pairing.TOOL)
    settle(qtbot, panel)
    asked: list[str] = []

    def ask(parent: object, title: str) -> str:
        asked.append(title)
        return "" if len(asked) == 1 else str(tmp_path / "room")

    monkeypatch.setattr(whole_results.QFileDialog, "getExistingDirectory", ask)
    panel.run()
    assert not panel.busy
    assert len(viewer.layers) == 1
    assert panel.bar.message.endswith("choose a folder for it, or take fewer frames.")
    run_to_end(qtbot, panel)
    assert "takes up to 25.6 kB" in asked[1]
    matrix = viewer.layers["film difference"]
    means = frames.mean(axis=(1, 2))
    np.testing.assert_allclose(np.asarray(matrix.data), means[:, None] - means, atol=1e-15)
    assert (tmp_path / "room" / "difference.ome.zarr").is_dir()
    panel.parameters_form.set_values({"kept": 10_000})
    assert panel.tool.on_disk is not None
    assert not panel.tool.on_disk(panel.inputs(), panel.parameters())


def test_a_pair_is_overlaid_at_its_shift() -> None:
    whole = np.random.default_rng(4).uniform(0, 1, (30, 34))
    # Pixel (y, x) of the first is pixel (y + 4, x - 6) of the second.
    frames = np.stack([whole[4:24, 4:24], 3 * whole[0:20, 10:30] + 7])
    *_, both = read_pair(stack_of(frames), 0, 1, (4.2, -5.9))
    assert both.shape == (24, 26, 3)
    inside = both[4:20, 6:20].astype(int)
    assert np.abs(np.diff(inside, axis=-1)).max() <= 3
    assert both[20:, :20, 0].any()
    assert not both[20:, :, 1].any()
    pairs = Table(
        "pairs", "pair",
        {"first": np.array([1, 5]), "second": np.array([2, 9]), "shift_y": np.array([3.0, np.nan]),
         "shift_x": np.array([-1.0, 2.0])},
    )  # fmt: skip
    assert shift_between((pairs,), (1, 2)) == (3, -1)
    assert shift_between((pairs,), (2, 1)) == (-3, 1)
    assert shift_between((pairs,), (5, 9)) is None
    assert shift_between((pairs,), (1, 9)) is None
