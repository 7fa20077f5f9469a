from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.helpers.toolbox import Translation

from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.model import Space
from napari_framewise.framework.outcome import PointsResult, Table
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Selection, Stack, stack_of

STACK = Input("stack", Kind.STACK, "Stack", "Frames.")
REFERENCES = Input(
    "references", Kind.FRAME, "References", "Images.", least=2, most=3, same_frame_as="stack"
)
MASK = Input("mask", Kind.LABELS, "Mask", "Pixels.", least=0, same_frame_as="stack")
AVERAGED = Input("dark", Kind.FRAME, "Dark", "Images.", least=0, several_frames=True)
PARTNER = Input("partner", Kind.STACK, "Partner", "Frames.", least=0, same_length_as="stack")
MODEL = Input("model", Kind.MODEL, "Model", "Fitted.", least=0, model_kind="warp")
POINTS = Input("points", Kind.POINTS, "Points", "Landmarks.", least=0, most=2)
ROLES = (STACK, REFERENCES, MASK, AVERAGED, PARTNER, MODEL, POINTS)

FRAMES = stack_of(np.zeros((5, 4, 3)), name="cells")
IMAGE = stack_of(np.ones((4, 3)), name="image")
SPACE = Space("a", (2, 2), (1.0, 1.0), ("pixel", "pixel"))


def given(**changes: Any) -> dict[str, Any]:
    return {"stack": FRAMES, "references": [IMAGE, IMAGE], **changes}


def test_inputs_are_found_by_role() -> None:
    dark = stack_of(np.zeros((2, 4, 3)))
    inputs = Inputs(ROLES, given(dark=dark))
    assert inputs.stack("stack") is FRAMES
    assert inputs.stacks("references") == (IMAGE, IMAGE)
    assert inputs.optional_stack("mask") is None
    assert inputs.optional_stack("dark") is dark
    assert inputs["points"] == ()
    assert list(inputs) == [role.name for role in ROLES]
    assert len(inputs) == len(ROLES)


def test_nothing_and_an_empty_list_leave_a_role_out() -> None:
    inputs = Inputs(ROLES, given(mask=None, points=[]))
    assert inputs["mask"] == inputs["points"] == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"refs": IMAGE}, "There is no input 'refs'; the inputs are: stack, references, mask,"),
        ({"stack": None}, "Stack: nothing was given; it takes one stack."),
        ({"references": IMAGE}, "References: one was given; it takes 2 to 3 images."),
        ({"references": [IMAGE] * 4}, "References: 4 were given; it takes 2 to 3 images."),
        ({"mask": [IMAGE, IMAGE]}, "Mask: 2 were given; it takes one labels image or none."),
        ({"points": [5, 5, 5]}, "Points was given a int; it takes a set of points."),
        ({"stack": np.zeros((5, 4, 3))}, "Stack was given a ndarray; it takes a stack."),
        ({"stack": "a.tif"}, "Stack was given a str; it takes a stack."),
        ({"model": Table("a", "frame", {})}, "Model was given a Table; it takes a model."),
        (
            {"model": Translation(SPACE, SPACE, np.zeros((1, 2)))},
            "Model was given a translation model; it takes a warp model.",
        ),
        (
            {"stack": stack_of(np.zeros((0, 4, 3)), name="cells")},
            "Stack: cells is empty (0 frames of 4 x 3, float64",
        ),
        ({"stack": stack_of(np.zeros((5, 0, 3)), name="cells")}, "Stack: cells is empty"),
        (
            {"mask": stack_of(np.zeros((2, 4, 3)), name="masks")},
            "Mask: masks holds 2 frames of 4 x 3, float64, frames along axis 0; one image",
        ),
        (
            {"references": [IMAGE, stack_of(np.zeros((4, 4)), name="square")]},
            "References: square has frames of 4 x 4 pixels, but cells has frames of 4 x 3; they",
        ),
        (
            {"partner": stack_of(np.zeros((6, 4, 3)), name="other")},
            "Partner: other has 6 frames, but cells has 5; as many are needed.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is compared below
        Inputs(ROLES, given(**change))
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")


def test_a_partner_that_is_absent_asks_for_nothing() -> None:
    alone = Input("mask", Kind.LABELS, "Mask", "Pixels.", same_frame_as="stack")
    optional = Input("stack", Kind.STACK, "Stack", "Frames.", least=0)
    assert Inputs((optional, alone), {"mask": IMAGE})["mask"] == (IMAGE,)


def test_images_that_must_agree_with_each_other() -> None:
    images = Input("images", Kind.FRAME, "Images", "Several.", most=9, same_frame_as="images")
    with pytest.raises(ValueError, match="odd has frames of 2 x 2 pixels, but image has frames"):
        Inputs((images,), {"images": [IMAGE, IMAGE, stack_of(np.ones((2, 2)), name="odd")]})


def test_points_come_through() -> None:
    points = PointsResult("p", np.zeros((3, 2)), Grid((Axis("y"), Axis("x"))))
    assert Inputs(ROLES, given(points=points))["points"] == (points,)


@pytest.mark.parametrize(
    ("least", "most", "wanted"),
    [
        (1, 1, "one image"),
        (0, 1, "one image or none"),
        (2, 2, "2 images"),
        (2, 16, "2 to 16 images"),
        (0, 4, "up to 4 images"),
    ],
)
def test_what_a_role_wants_in_words(least: int, most: int, wanted: str) -> None:
    assert Input("a", Kind.FRAME, "A", "A.", least=least, most=most).wanted == wanted


# -- choices that hold for what goes with a stack ---------------------------------------------


def one(value: Stack, stack: Stack, role: Input = MASK) -> Stack:
    return Inputs((STACK, role), {"stack": stack, role.name: value}).stack(role.name)


def test_a_mask_as_large_as_the_whole_frames_is_cropped_with_them() -> None:
    pixels = np.arange(12).reshape(4, 3)
    cropped = FRAMES.select(Selection(region=((1, 3), (0, 2))))
    cut = one(stack_of(pixels), cropped)
    np.testing.assert_array_equal(cut.frame(0), pixels[1:3, 0:2])


def test_a_mask_that_is_cropped_already_stays() -> None:
    mask = stack_of(np.ones((2, 2)))
    assert one(mask, FRAMES.select(Selection(region=((1, 3), (0, 2))))) is mask


def test_a_mask_of_another_size_is_not_cropped_to_fit() -> None:
    with pytest.raises(ValueError, match="frames of 6 x 6 pixels, but cells has frames of 2 x 2"):
        one(stack_of(np.ones((6, 6))), FRAMES.select(Selection(region=((1, 3), (0, 2)))))


def test_a_region_that_the_user_chose_is_kept() -> None:
    mask = stack_of(np.ones((6, 6)), selection=Selection(region=((4, 6), (0, 2))))
    cropped = FRAMES.select(Selection(region=((1, 3), (0, 2))))
    assert one(mask, cropped).selection.region == ((4, 6), (0, 2))


@pytest.mark.parametrize(
    ("axes", "shape"), [("cyx", (2, 4, 3)), ("yxc", (4, 3, 2)), ("tcyx", (1, 2, 4, 3))]
)
def test_the_same_channel_is_taken(axes: str, shape: tuple[int, ...]) -> None:
    stack = stack_of(np.zeros((5, 2, 4, 3)), axes="tcyx", selection=Selection(channel=1))
    pixels = np.arange(24).reshape(shape)
    mask = one(stack_of(pixels, axes=list(axes)), stack)
    channel = np.take(pixels, 1, axis=axes.index("c")).reshape(4, 3)
    np.testing.assert_array_equal(mask.frame(0), channel)


def test_channel_and_region_are_taken_together() -> None:
    selection = Selection(channel=1, region=((0, 2), (1, 3)))
    stack = stack_of(np.zeros((5, 2, 4, 3)), axes="tcyx", selection=selection)
    pixels = np.arange(24).reshape(2, 4, 3)
    mask = one(stack_of(pixels, axes="cyx"), stack)
    np.testing.assert_array_equal(mask.frame(0), pixels[1, 0:2, 1:3])


def test_a_volume_that_goes_with_volumes_is_one_frame() -> None:
    stack = stack_of(np.zeros((5, 6, 4, 3)), axes="tzyx")
    pixels = np.arange(72).reshape(6, 4, 3)
    mask = one(stack_of(pixels, axes="zyx"), stack)
    assert (mask.n_frames, mask.frame_shape) == (1, (6, 4, 3))
    np.testing.assert_array_equal(mask.frame(0), pixels)


def test_frames_that_the_user_chose_for_a_volume_are_kept() -> None:
    stack = stack_of(np.zeros((5, 6, 4, 3)), axes="tzyx")
    planes = stack_of(np.zeros((6, 4, 3)), axes="zyx", selection=Selection(frames_along=(0,)))
    with pytest.raises(ValueError, match="6 frames of 4 x 3"):
        one(planes, stack)


def test_a_partner_with_as_many_frames_gives_the_same_ones() -> None:
    chosen = FRAMES.select(Selection(frames=(1, 5, 2)))
    other = stack_of(np.arange(60).reshape(5, 4, 3))
    partner = one(other, chosen, PARTNER)
    assert list(partner.frame_numbers) == [1, 3]
    shorter = stack_of(np.zeros((2, 4, 3)))
    assert one(shorter, chosen, PARTNER) is shorter
