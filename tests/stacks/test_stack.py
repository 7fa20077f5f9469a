from __future__ import annotations

import itertools
import math
import pickle
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import ArraySource
from napari_framewise.stacks.stack import Selection, Stack, stack_of


@dataclass(frozen=True)
class Counted(ArraySource):
    """An array that remembers how often it was read."""

    reads: list[tuple[slice, ...]] | None = None

    def read(self, region: tuple[slice, ...]) -> np.ndarray:
        assert self.reads is not None
        self.reads.append(region)
        for part, length in zip(region, self.shape, strict=True):
            assert 0 <= part.start <= part.stop <= length
            assert part.step is None or part.step >= 1
        return super().read(region)


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(math.prod(shape), dtype=np.int32).reshape(shape)


@st.composite
def selected(draw: st.DrawFn) -> tuple[Stack, np.ndarray]:
    """A stack with some choice, and its frames by plain NumPy indexing."""
    ndim = draw(st.integers(1, 5))
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim)))
    names = [f"axis {axis}" for axis in range(ndim)]
    channel = draw(st.none() | st.integers(0, ndim - 1)) if ndim > 1 else None
    if channel is not None:
        names[channel] = "c"
    free = [axis for axis in range(ndim) if axis != channel]
    along = draw(st.permutations(range(ndim)))[: draw(st.integers(0, ndim - 1))]
    if not set(free) - set(along):
        along = along[:-1] if along[-1] in free else [axis for axis in along if axis != free[0]]
    image = [axis for axis in free if axis not in along]
    keeps = channel is not None and channel not in along
    picked = draw(st.none() | st.integers(0, shape[channel] - 1)) if keeps else None
    data = numbered(shape)

    order = [*along, *image, *([channel] if keeps else [])]
    total = math.prod(shape[axis] for axis in along)
    wanted = data.transpose(order).reshape(total, *(shape[axis] for axis in order[len(along) :]))
    if picked is not None:
        wanted = wanted[..., picked]
    region = None
    if len(image) > 1 and draw(st.booleans()):
        region = tuple(
            tuple(sorted(draw(st.sets(st.integers(0, shape[axis]), min_size=2, max_size=2))))
            for axis in image[-2:]
        )
        inside = [slice(None)] * (len(image) - 2) + [slice(*limits) for limits in region]
        wanted = wanted[(slice(None), *inside)]
    frames = None
    if draw(st.booleans()):
        start = draw(st.integers(0, total))
        frames = (start, draw(st.integers(start, total)), draw(st.integers(1, 4)))
        wanted = wanted[slice(*frames)]
    selection = Selection(tuple(along), frames, picked, region)
    return stack_of(Counted(data, []), axes=names, selection=selection), wanted


@given(selected(), st.data())
def test_reads_what_numpy_indexing_gives(made: tuple[Stack, np.ndarray], data: Any) -> None:
    stack, wanted = made
    assert stack.shape == wanted.shape
    assert stack.nbytes == wanted.nbytes
    start = data.draw(st.integers(0, stack.n_frames))
    stop = data.draw(st.integers(start, stack.n_frames))
    np.testing.assert_array_equal(stack.read(start, stop), wanted[start:stop])
    spatial = [axis for axis in stack.image_axes if axis != stack.channel_axis]
    rows_at = 1 + max(0, len(spatial) - 2)
    rows = sorted(data.draw(st.tuples(*[st.integers(0, wanted.shape[rows_at])] * 2)))
    part = wanted[(slice(start, stop), *[slice(None)] * (rows_at - 1), slice(*rows))]
    np.testing.assert_array_equal(stack.read(start, stop, tuple(rows)), part)


@given(selected(), st.data())
def test_a_frame_knows_its_place_in_the_data(made: tuple[Stack, np.ndarray], data: Any) -> None:
    stack, wanted = made
    if not stack.n_frames:
        return
    index = data.draw(st.integers(0, stack.n_frames - 1))
    position = stack.frame_position(index)
    assert set(position) == set(stack.frame_axes)
    whole = [position.get(axis, 0) for axis in range(len(stack.axes))]
    assert stack.frame_number(whole) == index
    if wanted[index].size and stack.selection.region is None and stack.selection.channel is None:
        assert stack.source.read(tuple(slice(at, at + 1) for at in whole)) == wanted[index].flat[0]


@given(selected())
def test_leading_axes_and_grid_fit_the_shape(made: tuple[Stack, np.ndarray]) -> None:
    stack, wanted = made
    assert math.prod(stack.leading_shape) == len(wanted)
    assert len(stack.leading_shape) == len(stack.leading_axes)
    assert stack.grid.shape == stack.frame_shape


def test_whole_rows_of_frames_are_read_at_once() -> None:
    source = Counted(numbered((4, 3, 2, 5, 6)), [])
    stack = stack_of(source, selection=Selection(frames_along=(0, 1, 2)))
    np.testing.assert_array_equal(stack.read(0, 24), source.array.reshape(24, 5, 6))
    assert len(source.reads or ()) == 1
    np.testing.assert_array_equal(stack.read(5, 21), source.array.reshape(24, 5, 6)[5:21])
    # The end of one row, two whole planes, the beginning of the next.
    assert len(source.reads or ()) == 1 + 4


def test_an_unread_frame_is_not_touched() -> None:
    source = Counted(numbered((100, 5, 6)), [])
    stack_of(source).read(10, 12, (1, 3))
    assert source.reads == [(slice(10, 12, 1), slice(1, 3), slice(0, 6))]


def test_what_finds_no_memory_is_named_with_its_size() -> None:
    class Full(ArraySource):
        def read(self, region: tuple[slice, ...]) -> np.ndarray:
            raise MemoryError("Unable to allocate 1.68 GiB")

    stack = replace(stack_of(np.zeros((3, 4, 5)), name="large"), source=Full(np.zeros((3, 4, 5))))
    with pytest.raises(ValueError, match=r"^large: one frame takes 160 bytes, and there is not as"):
        stack.frame(0)


def test_frames_without_pixels_are_no_error() -> None:
    assert stack_of(np.empty((3, 0, 4))).read(0, 3).shape == (3, 0, 4)
    assert stack_of(np.empty((0, 5, 4))).read(0, 0).shape == (0, 5, 4)


@pytest.mark.parametrize(
    ("names", "rgb", "along"),
    [
        (("t", "z", "y", "x"), False, (0,)),
        (("z", "t", "y", "x"), False, (1,)),
        (("p", "z", "y", "x"), False, (0, 1)),
        (("c", "y", "x"), False, (0,)),
        (("t", "c", "y", "x"), False, (0,)),
        (("y", "x"), False, ()),
        (("y", "x", "c"), True, ()),
        (("axis 0", "y", "x", "c"), True, (0,)),
    ],
)
def test_frames_run_along_what_one_expects(
    names: tuple[str, ...], rgb: bool, along: tuple[int, ...]
) -> None:
    assert stack_of(np.zeros((3,) * len(names)), axes=names, rgb=rgb).frame_axes == along


def test_a_chosen_range_and_region_move_with_scale_and_step() -> None:
    stack = stack_of(
        np.zeros((20, 8, 9)),
        axes=("t", "y", "x"),
        scale=(0.5, 2.0, 3.0),
        translate=(1.0, 10.0, 20.0),
        units=("second", "micrometer", "micrometer"),
        selection=Selection(frames=(4, 20, 3), region=((1, 5), (2, 6))),
    )
    assert stack.leading_axes == (Axis("t", 1.5, 3.0, "second"),)
    assert stack.grid.axes == (
        Axis("y", 2.0, 12.0, "micrometer"),
        Axis("x", 3.0, 26.0, "micrometer"),
    )


def test_says_what_it_is() -> None:
    stack = stack_of(np.zeros((2000, 64, 64), np.uint16))
    assert stack.summary() == "2,000 frames of 64 x 64, uint16, frames along axis 0"
    assert stack_of(np.zeros((4, 5))).summary() == "one image of 4 x 5, float64"
    several = stack_of(np.zeros((1, 1, 4, 5)), axes=tuple("pzyx"))
    assert several.summary() == "1 frame of 4 x 5, float64, frames along axes 0 (p) and 1 (z)"


def test_a_mask_and_none_become_nan() -> None:
    masked = np.ma.masked_equal(numbered((2, 2, 2)), 5)
    frames = stack_of(masked).read(0, 2)
    assert np.isnan(frames[1, 0, 1])
    assert np.isnan(frames).sum() == 1
    unmasked = stack_of(np.ma.masked_array(numbered((2, 2, 2)), False))
    assert unmasked.dtype == np.int32
    objects = np.array([[[1, None], [2.5, 3]]], dtype=object)
    np.testing.assert_array_equal(stack_of(objects).read(0, 1), [[[1, np.nan], [2.5, 3]]])


def test_survives_pickling() -> None:
    stack = stack_of(numbered((4, 3, 2)), selection=Selection(frames=(1, 4, 2)))
    again = pickle.loads(pickle.dumps(stack))  # noqa: S301
    np.testing.assert_array_equal(again.read(0, 2), stack.read(0, 2))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (np.zeros((2, 3, 3), complex), {}, "complex numbers; frames of real numbers are needed"),
        (np.array([[["a", "b"]]], dtype=object), {}, "give an array of real numbers"),
        (np.array([[["a", "b"]]]), {}, "frames of real numbers are needed"),
        (np.zeros((2, 3, 3)), {"axes": ("y", "x")}, "2 axis names were given for data of 3"),
        (np.zeros((2, 3, 3)), {"scale": (1, 1)}, "2 scales were given"),
        (np.zeros((2, 3, 3)), {"selection": Selection((3,))}, "the data has the axes 0 to 2"),
        (np.zeros((2, 3, 3)), {"selection": Selection((0, 0))}, "name each axis once"),
        (np.zeros((2, 3, 3)), {"selection": Selection((0, 1, 2))}, "choose fewer frame axes"),
        (np.zeros((2, 3, 3)), {"selection": Selection(frames=(0, 3, 1))}, "it has 2 frames"),
        (np.zeros((2, 3, 3)), {"selection": Selection(frames=(0, 2, 0))}, "a step of 1 or more"),
        (np.zeros((2, 3, 3)), {"selection": Selection(channel=0)}, "it has no channels"),
        (
            np.zeros((2, 3, 3)),
            {"selection": Selection(region=((0, 4), (0, 3)))},
            "inside a frame of 3 x 3 pixels",
        ),
    ],
)
def test_a_bad_choice_gets_one_sentence(
    data: np.ndarray, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        stack_of(data, **options)
    assert str(caught.value).count(". ") == 0


def test_every_frame_axis_order_is_flattened_as_said() -> None:
    data = numbered((2, 3, 4, 5))
    for first, second in itertools.permutations(range(4), 2):
        stack = stack_of(data, selection=Selection((first, second)))
        for index in range(stack.n_frames):
            one, two = divmod(index, data.shape[second])
            wanted = data.take([one], first).take([two], second).reshape(stack.frame_shape)
            np.testing.assert_array_equal(stack.frame(index), wanted)
