"""Scribbles: the same strokes as labels, shapes, points and a picture that was painted over."""

from __future__ import annotations

import numpy as np
import pytest
from tests.helpers.scribbling import INPUTS, TOOL

from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import PointsResult, ShapesResult
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Selection, Stack, stack_of

GREY = np.random.default_rng(0).integers(20, 200, (3, 12, 16), np.uint8)
FILM = stack_of(GREY, axes=("t", "y", "x"), name="film")
INKS = np.array([[1.0, 0, 0, 1], [0, 0.5, 1.0, 1]])


def strokes() -> Array:
    """Two bars, in two inks."""
    labels = np.zeros((12, 16), np.uint8)
    labels[2:4, 3:9] = 1
    labels[7:10, 5:12] = 2
    return labels


def labels(data: Array, **options: object) -> Stack:
    axes = ("t", "y", "x")[-data.ndim :]
    stack = stack_of(data, axes=axes, name="painted")
    legend = Legend(np.array([1, 2]), INKS)
    return Stack(stack.source, stack.axes, name="painted", legend=legend)


def rectangle(top: float, bottom: float, left: float, right: float) -> Array:
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float)


def found(value: object, frame: int = 0, stack: Stack = FILM) -> tuple[Array, Array]:
    """Numbers and colours as images."""
    marks = Inputs(INPUTS, {"stack": stack, "scribbles": value}).scribbles("scribbles", frame)
    numbers = np.zeros(stack.spatial_shape, int)
    colours = np.zeros((*stack.spatial_shape, 4))
    numbers[tuple(marks.places.T)] = marks.numbers
    colours[tuple(marks.places.T)] = marks.colours
    return numbers, colours


def wanted() -> tuple[Array, Array]:
    numbers = strokes().astype(int)
    colours = np.zeros((12, 16, 4))
    for number, ink in enumerate(INKS, 1):
        colours[numbers == number] = ink
    return numbers, colours


def shapes(kind: str = "rectangle", **colours: Array) -> ShapesResult:
    grid = Grid((Axis("y"), Axis("x")))
    data = [rectangle(2, 3, 3, 8), rectangle(7, 9, 5, 11)]
    return ShapesResult("drawn", data, grid, kind, **colours)


CLEAR = np.zeros((2, 4))


@pytest.mark.parametrize(
    "value",
    [
        labels(strokes()),
        shapes(fill=INKS, colours=CLEAR),
        shapes(fill=CLEAR, colours=INKS),
        shapes("polygon", fill=INKS, colours=CLEAR + 1),
        PointsResult(
            "dots",
            np.argwhere(strokes()) + 0.3,
            Grid((Axis("y"), Axis("x"))),
            colours=INKS[strokes()[strokes() > 0] - 1],
        ),
    ],
    ids=["labels", "filled", "outlined", "polygons", "points"],
)
def test_the_same_strokes_give_the_same_pixels_and_colours(value: object) -> None:
    numbers, colours = found(value)
    expected_numbers, expected = wanted()
    if not isinstance(value, PointsResult):
        np.testing.assert_array_equal(numbers, expected_numbers)
    np.testing.assert_array_equal(numbers > 0, expected_numbers > 0)
    np.testing.assert_array_equal(colours, expected)


@pytest.mark.parametrize("alpha", [False, True])
def test_a_picture_that_was_painted_over_is_marked_where_it_was(alpha: bool) -> None:
    rgb = np.repeat(GREY[0][..., None], 4 if alpha else 3, axis=-1)
    use = strokes() > 0
    rgb[use, :3] = (np.rint(wanted()[1][use][:, :3] * 255)).astype(np.uint8)
    # A grey ink counts as well, for it differs from the frame.
    rgb[0, 0, :3] = 255 - GREY[0, 0, 0] // 2
    if alpha:
        rgb[..., 3] = 255
    _, colours = found(stack_of(rgb, rgb=True))
    expected = wanted()[1]
    expected[0, 0] = [*(rgb[0, 0, :3] / 255.0), 1]
    np.testing.assert_allclose(colours, expected, atol=1 / 255)
    # Of frames of other values only what is coloured can be told from what is not.
    other = stack_of(GREY.astype(float) * 7.3, axes=("t", "y", "x"), name="counts")
    _, colours = found(stack_of(rgb, rgb=True), stack=other)
    np.testing.assert_allclose(colours, wanted()[1], atol=1 / 255)


def test_what_lies_in_another_frame_is_left_out() -> None:
    several = np.zeros((3, 12, 16), np.uint8)
    several[1] = strokes()
    axes = Grid((Axis("t"), Axis("y"), Axis("x")))
    bars = [np.insert(rectangle(2, 3, 3, 8), 0, 1, axis=1)]
    drawn = ShapesResult("drawn", bars, axes, "rectangle", fill=INKS[:1])
    for value in (drawn, PointsResult("dots", np.array([[1, 2, 3.0]]), axes, colours=INKS[:1])):
        assert [len(np.argwhere(found(value, frame)[0])) > 0 for frame in range(3)] == [0, 1, 0]
    role = INPUTS[1].__class__(**{**vars(INPUTS[1]), "several_frames": True})
    inputs = Inputs((INPUTS[0], role), {"stack": FILM, "scribbles": labels(several)})
    counts = [len(inputs.scribbles("scribbles", frame)) for frame in range(3)]
    assert counts == [0, (strokes() > 0).sum(), 0]


def test_a_region_and_chosen_frames_are_followed() -> None:
    part = FILM.select(Selection(frames=(1, 3, 1), region=((2, 12), (3, 16))))
    numbers, _ = found([labels(strokes()), shapes(fill=INKS)], stack=part)
    np.testing.assert_array_equal(numbers, strokes()[2:, 3:])


def test_later_marks_cover_earlier_ones_and_unknown_colours_are_nan() -> None:
    plain = Stack(labels(strokes()).source, labels(strokes()).axes, name="plain")
    numbers, colours = found([plain, shapes(fill=INKS[::-1])])
    np.testing.assert_array_equal(colours[3, 4], INKS[1])
    numbers, colours = found(plain)
    assert np.isnan(colours[numbers > 0]).all()


def test_scribbles_of_another_size_are_refused() -> None:
    for value in (labels(np.ones((5, 6), np.uint8)), stack_of(np.zeros((5, 6, 3)), rgb=True)):
        with pytest.raises(ValueError, match="of that size for all frames"):
            found(value)


def test_nothing_given_marks_nothing() -> None:
    inputs = Inputs(
        (INPUTS[0], INPUTS[1].__class__(**{**vars(INPUTS[1]), "least": 0})), {"stack": FILM}
    )
    assert len(inputs.scribbles("scribbles")) == 0
    assert TOOL.preview(inputs, TOOL.check_parameters({}), 0).summary == "0 pixels."
