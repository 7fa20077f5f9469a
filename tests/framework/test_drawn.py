"""Points and shapes on a stack's frames, whatever axes they come with."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.framework.drawn import drawn_points, drawn_shapes, paired, placed_back
from napari_framewise.framework.inputs import MASK, Input, Inputs, Kind
from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.framework.regions import labels_of, regions_of
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Selection, Stack, stack_of

SQUARE = np.array([[1, 1], [1, 4], [3, 4], [3, 1.0]])


def points(data: object, *axes: Axis, **options: object) -> PointsResult:
    return PointsResult("spots", np.array(data, float), Grid(axes), **options)  # type: ignore[arg-type]


def shapes(data: list[np.ndarray], kinds: str | tuple[str, ...], *axes: Axis) -> ShapesResult:
    return ShapesResult("cells", data, Grid(axes or (Axis("y"), Axis("x"))), kinds)


def movie(**options: object) -> Stack:
    return stack_of(
        np.zeros((6, 3, 8, 9)),
        axes=("t", "c", "y", "x"),
        scale=(2, 1, 0.5, 0.25),
        translate=(10, 0, -3, 4),
        units=("s", "pixel", "um", "um"),
        name="movie",
        **options,  # type: ignore[arg-type]
    )


def test_a_stacks_own_axes_give_its_pixels() -> None:
    stack = movie(selection=Selection(frames=(1, 6, 2), region=((2, 8), (1, 9))))
    found = drawn_points(points([[3, 0, 4, 5], [2, 0, 2, 1], [5, 1, 9, 0]], *stack.axes), stack)
    np.testing.assert_array_equal(found.places, [[2, 4], [0, 0], [7, -1]])
    np.testing.assert_array_equal(found.frames, [1, -1, 2])


@pytest.mark.parametrize(("unit", "factor"), [("um", 1.0), ("nm", 1000.0), ("mm", 1e-3)])
def test_other_axes_are_taken_through_the_world(unit: str, factor: float) -> None:
    stack = movie()
    pixels = np.array([[1.5, 2], [7, 0.25]])
    world = (pixels * [0.5, 0.25] + [-3, 4]) * factor
    axes = (Axis("t", 1, 0, "ms"), Axis("y", 2, 1, unit), Axis("x", 0.5, 0, unit))
    data = np.column_stack([[12000, 20000], (world[:, 0] - 1) / 2, world[:, 1] / 0.5])
    found = drawn_points(points(data, *axes), stack)
    np.testing.assert_allclose(found.places, pixels, atol=1e-9)
    np.testing.assert_array_equal(found.frames, [1, 5])


def test_axes_that_say_nothing_are_pixels_of_the_stack() -> None:
    found = drawn_points(points([[3, 4.5]], Axis("y"), Axis("x")), movie())
    np.testing.assert_array_equal(found.places, [[3, 4.5]])
    assert found.frames is None
    found = drawn_points(points([[2, 3, 4.5]], Axis("axis 0"), Axis("y"), Axis("x")), movie())
    np.testing.assert_array_equal(found.frames, [2])


def test_points_without_rows_and_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="spots has coordinates along 1 axes"):
        drawn_points(points([[3]], Axis("x")), movie())


def test_moved_points_go_back_to_their_layer() -> None:
    stack = movie(selection=Selection(frames=(1, 6, 2), region=((2, 8), (1, 9))))
    axes = (Axis("t", 1, 0, "s"), Axis("y", 1, 0, "um"), Axis("x", 1, 0, "um"))
    given = points([[12, -1.5, 5], [16, -2, 5.5]], *axes)
    found = drawn_points(given, stack)
    back = placed_back(found.places, given, stack, found.frames)
    np.testing.assert_allclose(back, given.data, atol=1e-12)
    moved = placed_back(found.places + 1, given, stack, found.frames + 1)
    np.testing.assert_allclose(moved - given.data, [[4, 0.5, 0.25]] * 2, atol=1e-12)


# -- landmarks -------------------------------------------------------------------------------------


def landmarks(name: str, rows: int, index: object = None, of_file: object = None) -> PointsResult:
    features = None if index is None else Table("f", "landmark", {"index": np.array(index)})
    data = np.arange(2.0 * rows).reshape(rows, 2)
    number = None if of_file is None else np.array(of_file)
    return PointsResult(name, data, Grid((Axis("y"), Axis("x"))), features, index=number)


def pairs(first: PointsResult, second: PointsResult) -> object:
    return paired(drawn_points(first, movie()), drawn_points(second, movie()))


def test_landmarks_are_paired_by_their_index_and_those_alone_are_named() -> None:
    found = pairs(landmarks("fixed", 4, [7, 3, 5, 1]), landmarks("moving", 3, [5.0, 7.0, 9.0]))
    np.testing.assert_array_equal(found.index, [7, 5])
    np.testing.assert_array_equal(found.first, [0, 2])
    np.testing.assert_array_equal(found.second, [1, 0])
    assert found.alone == (
        "landmark 3 of fixed",
        "landmark 1 of fixed",
        "landmark 9 of moving",
    )


def test_landmarks_without_an_index_are_paired_in_order() -> None:
    found = pairs(landmarks("a", 3), landmarks("b", 3))
    np.testing.assert_array_equal(found.first, found.second)
    with pytest.raises(ValueError, match="a holds 3 points and b 4; landmarks without an index"):
        pairs(landmarks("a", 3), landmarks("b", 4))


def test_a_file_that_counts_its_rows_goes_with_points_that_have_no_index() -> None:
    found = pairs(landmarks("a", 3, of_file=[0, 1, 2]), landmarks("b", 3))
    np.testing.assert_array_equal(found.second, [0, 1, 2])
    with pytest.raises(ValueError, match="a has an index column and b has none"):
        pairs(landmarks("a", 3, of_file=[1, 2, 3]), landmarks("b", 3))


def test_an_index_that_stands_twice_is_refused_and_no_place_has_no_partner() -> None:
    with pytest.raises(ValueError, match="a has the index 2 more than once"):
        pairs(landmarks("a", 3, [2, 2, 1]), landmarks("b", 3, [1, 2, 3]))
    lost = landmarks("a", 2, [1, 2])
    lost.data[0] = np.nan
    found = pairs(lost, landmarks("b", 2, [1, 2]))
    np.testing.assert_array_equal(found.index, [2])
    assert len(found.alone) == 2


# -- regions ---------------------------------------------------------------------------------------

RIGHT, DOWN = np.array([0.0, 3]), np.array([3.0, 0])
MIXED = [SQUARE, SQUARE + RIGHT, SQUARE[:3] + DOWN, np.array([[7, 0], [7, 8.0]])]
KINDS = ("rectangle", "ellipse", "polygon", "path")


def test_every_shape_counts() -> None:
    stack = stack_of(np.zeros((4, 8, 9)), axes=("t", "y", "x"))
    regions = regions_of(shapes(MIXED, KINDS), stack)
    assert [region.number for region in regions] == [1, 2, 3, 4]
    assert regions[0].inside.sum() == 12
    assert 0 < regions[1].inside.sum() < 12
    assert regions[3].inside.sum() == 9
    labels = labels_of(shapes(MIXED, KINDS), stack)
    assert labels.frame_shape == (8, 9)
    assert set(np.unique(labels.frame(0))) == {0, 1, 2, 3, 4}


def test_a_region_holds_for_every_frame_whatever_frame_it_was_drawn_in() -> None:
    stack = stack_of(np.zeros((4, 8, 9)), axes=("t", "y", "x"))
    drawn = [np.column_stack([np.full(4, frame), SQUARE]) for frame in (0, 3)]
    regions = regions_of(shapes(drawn, "polygon", *map(Axis, "tyx")), stack)
    assert [region.inside.sum() for region in regions] == [12, 12]
    assert [
        each.frame for each in drawn_shapes(shapes(drawn, "polygon", *map(Axis, "tyx")), stack)
    ] == [0, 3]
    slanted = [np.column_stack([[0, 0, 1, 1], SQUARE])]
    with pytest.raises(ValueError, match="shape 0 reaches over several frames"):
        regions_of(shapes(slanted, "polygon", *map(Axis, "tyx")), stack)


def test_a_region_of_a_volume_lies_in_its_plane_or_in_all() -> None:
    stack = stack_of(np.zeros((2, 5, 8, 9)), axes=("t", "z", "y", "x"))
    stack = stack.select(Selection(frames_along=(0,)))
    in_plane = np.column_stack([np.full(4, 2), SQUARE])
    labels = labels_of(shapes([in_plane], "rectangle", *map(Axis, "zyx")), stack).frame(0)
    assert (labels != 0).sum(axis=(1, 2)).tolist() == [0, 0, 12, 0, 0]
    labels = labels_of(shapes([SQUARE], "rectangle"), stack).frame(0)
    assert (labels != 0).sum(axis=(1, 2)).tolist() == [12] * 5


def test_labels_are_regions_too() -> None:
    image = np.zeros((8, 9), int)
    image[1:3, 2:5], image[6, 8] = 7, 3
    regions = regions_of(stack_of(image), stack_of(np.zeros((4, 8, 9))))
    assert [(region.number, region.inside.sum()) for region in regions] == [(3, 1), (7, 6)]
    assert regions[1].box == (slice(1, 3), slice(2, 5))
    with pytest.raises(ValueError, match="marks no region"):
        regions_of(stack_of(np.zeros((8, 9))), stack_of(np.zeros((4, 8, 9))))
    with pytest.raises(ValueError, match="one image of labels with 8 x 9 pixels"):
        regions_of(stack_of(np.ones((8, 8))), stack_of(np.zeros((4, 8, 9))))


ROLES = (
    Input("stack", Kind.STACK, "Stack", "Frames."),
    Input("mask", MASK, "Mask", "Pixels.", least=0),
    Input("fixed", Kind.POINTS, "Fixed", "Landmarks.", least=0),
    Input("moving", Kind.POINTS, "Moving", "Landmarks.", least=0, lies_on="stack"),
)


def test_a_drawn_shape_is_a_mask_and_is_recorded_as_a_shape() -> None:
    stack = stack_of(np.zeros((4, 8, 9)), axes=("t", "y", "x"))
    drawn = shapes([SQUARE], "rectangle")
    inputs = Inputs(ROLES, {"stack": stack, "mask": drawn})
    mask = inputs.stack("mask")
    assert (mask.frame(0) != 0).sum() == 12
    assert inputs.as_given("mask") == (drawn,)
    assert len(inputs.regions("mask")) == 1
    assert len(inputs.shapes("mask")) == 1
    empty = Inputs(ROLES, {"stack": stack, "mask": shapes([], "path")})
    assert not empty.stack("mask").frame(0).any()


def test_landmarks_of_inputs() -> None:
    stack = stack_of(np.zeros((8, 9)))
    inputs = Inputs(
        ROLES,
        {"stack": stack, "fixed": landmarks("a", 2, [1, 2]), "moving": landmarks("b", 1, [2])},
    )
    assert inputs.landmarks("fixed", "moving").first.tolist() == [1]
    assert inputs.points("mask") == ()


def test_a_role_takes_several_kinds_and_says_so() -> None:
    with pytest.raises(
        ValueError, match="Mask was given a PointsResult; it takes a labels image or set of shapes"
    ):
        Inputs(ROLES, {"stack": stack_of(np.zeros((8, 9))), "mask": landmarks("a", 2)})
    assert ROLES[1].wanted == "one labels image or set of shapes or none"


@pytest.mark.parametrize(("frames", "shape"), [("plane", (4, 8, 9)), ("volume", (2, 4, 8, 9))])
def test_planes_or_volumes_are_asked_for(frames: str, shape: tuple[int, ...]) -> None:
    role = Input("stack", Kind.STACK, "Stack", "Frames.", frames=frames)  # type: ignore[arg-type]
    names = ("t", "z", "y", "x")[-len(shape) :]
    stack = stack_of(np.zeros(shape), axes=names)
    if frames == "plane":
        Inputs((role,), {"stack": stack})
        with pytest.raises(ValueError, match="have planes, rows and columns; plane images are"):
            Inputs((role,), {"stack": stack.select(Selection(frames_along=()))})
    else:
        Inputs((role,), {"stack": stack})
        with pytest.raises(ValueError, match="have rows and columns; volumes are"):
            Inputs((role,), {"stack": stack.select(Selection(frames_along=(0, 1)))})
