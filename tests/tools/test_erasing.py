from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract

from napari_framewise.framework.outcome import ImageResult, Outcome, ShapesResult
from napari_framewise.io import write_table
from napari_framewise.stacks.selection import Selection
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run

FRAMES = np.random.default_rng(0).integers(1, 200, (5, 40, 50)).astype(np.uint8)


class TestContract(ToolContract):
    name = "erasing"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {"rectangles": 2, "share": 15.0}
    value_columns = ("erased",)


def outcome(stack: Any = FRAMES, **given: Any) -> Outcome:
    return run("erasing", stack=stack, **given)


def pixels(found: Outcome, name: str) -> Array:
    layer = next(each for each in found.layers if name in each.name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


@pytest.mark.parametrize("result", ["lazy", "memory"])
@pytest.mark.parametrize("count", [2, 4])
def test_image_mask_shapes_and_table_say_the_same(result: str, count: int) -> None:
    found = outcome(rectangles=count, share=30, result=result, seed=4)
    image, mask = pixels(found, "erased"), pixels(found, "mask")
    assert image.dtype == np.uint8
    assert (np.count_nonzero(mask, axis=(1, 2)) == round(0.3 * 2000)).all()
    np.testing.assert_array_equal(image, np.where(mask > 0, 0, FRAMES))
    assert (mask[0] != mask[1]).any()
    table = found.table().columns
    assert len(table["frame"]) == 5 * count
    from_table = np.zeros_like(mask)
    for row in range(len(table["frame"])):
        frame, y, x, height, width = (
            int(table[name][row]) for name in ("frame", "y", "x", "height", "width")
        )
        from_table[frame, y : y + height, x : x + width] = table["object"][row]
    np.testing.assert_array_equal(from_table, mask)
    shapes = found.layers[2]
    assert isinstance(shapes, ShapesResult)
    for number, corners in enumerate(shapes.data):
        assert (corners[:, 0] == table["frame"][number]).all()
        low, high = corners[:, 1:].min(axis=0), corners[:, 1:].max(axis=0)
        np.testing.assert_array_equal(low + 0.5, [table["y"][number], table["x"][number]])
        np.testing.assert_array_equal(high - low, [table["height"][number], table["width"][number]])


def test_a_frame_keeps_its_rectangles_whatever_is_chosen() -> None:
    whole = outcome(rectangles=2)
    stack = stack_of(FRAMES).select(Selection(frames=(3, 5, 1)))
    part = outcome(stack, rectangles=2)
    np.testing.assert_array_equal(pixels(part, "mask"), pixels(whole, "mask")[3:])
    np.testing.assert_array_equal(part.table().columns["frame"], [3, 3, 4, 4])


def test_the_same_in_all_frames() -> None:
    found = outcome(rectangles=3, same=True)
    mask = pixels(found, "mask")
    assert mask.shape == (40, 50)
    np.testing.assert_array_equal(pixels(found, "erased"), np.where(mask > 0, 0, FRAMES))
    assert len(found.table()) == 3


def test_channels_are_erased_together_in_any_order_of_axes() -> None:
    movie = np.random.default_rng(1).normal(50, 5, (3, 2, 40, 30))
    found = outcome(stack_of(movie, axes=("t", "c", "y", "x")), fill="mean")
    image, mask = pixels(found, "erased"), pixels(found, "mask")
    assert image.shape == movie.shape
    assert mask.shape == (3, 40, 30)
    for frame in range(3):
        for channel in range(2):
            where = mask[frame] > 0
            plain = movie[frame, channel]
            np.testing.assert_allclose(image[frame, channel][where], plain[~where].mean())
            np.testing.assert_array_equal(image[frame, channel][~where], plain[~where])


def test_fills_of_integers() -> None:
    assert pixels(outcome(fill="nan"), "erased").dtype == np.float32
    for fill in ("mean", "noise"):
        found = outcome(fill=fill)
        image, mask = pixels(found, "erased"), pixels(found, "mask")
        assert image.dtype == np.uint8
        spread = image[mask > 0].astype(float).std()
        assert (spread > 20) == (fill == "noise")


def test_it_lies_where_the_stack_lies() -> None:
    stack = stack_of(
        FRAMES,
        axes=("t", "y", "x"),
        scale=(2, 0.5, 0.25),
        translate=(1, 10, 20),
        units=("s", "um", "um"),
    )
    found = outcome(stack, rectangles=2)
    for layer in found.layers:
        assert [axis.scale for axis in layer.grid.axes] == [2, 0.5, 0.25]
        assert [axis.translate for axis in layer.grid.axes] == [1, 10, 20]
    still = outcome(stack, rectangles=2, same=True).layers[2]
    assert [axis.scale for axis in still.grid.axes] == [0.5, 0.25]


def test_json(tmp_path: Path) -> None:
    found = outcome(rectangles=2)
    write_table(found.table(), tmp_path / "rectangles.json")
    rows = json.loads((tmp_path / "rectangles.json").read_text())
    assert len(rows) == 10
    assert rows[3]["frame"] == 1
    assert rows[3]["aspect_kept"] is True
    assert sum(row["pixels"] for row in rows) == 5 * 400


def test_aspects_that_are_given_up_are_said() -> None:
    found = outcome(np.zeros((2, 5, 200)), share=80, rectangles=2)
    assert any("given up in 2 of 2 frames" in said for said in found.diagnostics)
    assert not found.table().columns["aspect_kept"].any()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"share": 97.45, "rectangles": 1, "stack": np.zeros((10, 20, 100))}, "1,949 is prime"),
        ({"share": 0.01}, "less than one pixel"),
        ({"share": 101}, "less than or equal to 100"),
        ({"lowest_aspect": 4}, "must not be above"),
        ({"rectangles": 5}, "less than or equal to 4"),
        ({"stack": np.zeros(9)}, "plane images are needed"),
    ],
)
def test_bad_input_is_told_in_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        outcome(**given)
    assert "\n" not in str(caught.value)
