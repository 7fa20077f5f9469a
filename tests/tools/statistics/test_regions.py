from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.framework.outcome import ShapesResult
from napari_framewise.io.ragged import open_images
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.statistics import TOOL


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 5000, (40, 24, 30)).astype(np.uint16)


def drawn() -> ShapesResult:
    """A rectangle, an ellipse over a part of it, a triangle, and a rectangle beside the frame."""
    shapes = [
        [[2, 3], [2, 9], [7, 9], [7, 3]],
        [[4, 5], [4, 15], [12, 15], [12, 5]],
        [[15, 2], [15, 20], [22, 2]],
        [[90, 90], [90, 95], [95, 95], [95, 90]],
    ]
    grid = Grid((Axis("y"), Axis("x")))
    data = [np.array(each, np.float64) for each in shapes]
    return ShapesResult("rois", data, grid, ("rectangle", "ellipse", "polygon", "rectangle"))


def insides() -> list[np.ndarray]:
    """Which pixels each shape holds, by its equation."""
    y, x = np.mgrid[:24, :30].astype(np.float64)
    return [
        (y >= 2) & (y <= 7) & (x >= 3) & (x <= 9),
        ((y - 8) / 4) ** 2 + ((x - 10) / 5) ** 2 <= 1 + 1e-12,
        (y >= 15) & (x >= 2) & ((y - 15) / 7 + (x - 2) / 18 <= 1 + 1e-12),
    ]


def test_every_shape_is_followed_over_time(frames: np.ndarray) -> None:
    outcome = run("statistics", stack=frames, regions=drawn())
    columns = outcome.table("regions").columns
    for number, inside in enumerate(insides(), 1):
        values = frames[:, inside].astype(np.float64)
        np.testing.assert_allclose(columns[f"mean_{number}"], values.mean(axis=1), rtol=1e-14)
        np.testing.assert_allclose(columns[f"std_{number}"], values.std(axis=1), rtol=1e-12)
        assert set(columns[f"pixels_{number}"]) == {inside.sum()}
    assert np.isnan(columns["mean_4"]).all()
    assert "1 region held no pixel with data (4)" in outcome.diagnostics[-1]
    assert outcome.plots[0].table == "regions"
    assert [curve.y for curve in outcome.plots[0].curves] == [f"mean_{n}" for n in range(1, 5)]
    # what is measured of whole frames is what it was
    plain = run("statistics", stack=frames)
    for table in plain.tables:
        for name, values in table.columns.items():
            np.testing.assert_array_equal(values, outcome.table(table.name).columns[name])


def test_labels_masks_channels_and_missing_pixels(frames: np.ndarray) -> None:
    labels = np.zeros((24, 30), np.int32)
    labels[3:9, 4:12], labels[15:20, 1:28] = 12, 3
    colour = np.stack([frames, frames[::-1]], axis=-1).astype(np.float64)
    colour[5, 4, 5, 0] = np.nan
    stack = stack_of(colour, axes=("t", "y", "x", "c"))
    mask = np.random.default_rng(2).random((40, 24, 30)) < 0.7
    columns = run("statistics", stack=stack, regions=labels, mask=mask).table("regions").columns
    names = [name for name in columns if name.startswith("mean_12_")]
    assert len(names) == 2
    for number in (3, 12):
        for channel, name in enumerate(names):
            used = np.where(mask & (labels == number), colour[..., channel], np.nan)
            wanted = np.nanmean(used.reshape(40, -1), axis=1)
            found = columns[name.replace("12", str(number))]
            np.testing.assert_allclose(found, wanted, rtol=1e-14)


def test_the_preview_says_what_the_regions_hold(frames: np.ndarray) -> None:
    parameters = TOOL.check_parameters({})
    inputs = TOOL.check_inputs({"stack": stack_of(frames), "regions": drawn()})
    said = TOOL.preview(inputs, parameters, 3).summary
    first = frames[3][insides()[0]].mean()
    assert f"Mean of region 1: {first:.6g}; 2: " in said
    assert "4: no data" in said


@pytest.mark.parametrize(
    ("regions", "sentence"),
    [(np.zeros((24, 30), int), "marks no region"), (np.ones((5, 5), int), "24 x 30")],
)
def test_what_marks_nothing_is_refused(frames: np.ndarray, regions: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        run("statistics", stack=frames, regions=regions)


def test_images_of_different_sizes_have_no_common_regions(tmp_path: Any) -> None:
    from PIL import Image

    for number in (5, 9):
        Image.fromarray(np.zeros((number, 6), np.uint8)).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match="regions fit images of one size only"):
        run("statistics", stack=open_images(tmp_path), regions=np.ones((5, 5), int))
