"""What every transform must keep: inherit `TransformContract` and give one, of a known map.

A transform's tests hold a subclass with a fixture `transform`; `known` says of output points where
the input has them, in closed form::

    class TestContract(TransformContract):
        @pytest.fixture
        def transform(self):
            return Transforms(space, space, matrices, "affine")

        def known(self, points, frame): ...
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_framewise.framework.outcome import PointsResult, ShapesResult, Table
from napari_framewise.framework.roles import Input, Kind, takes_model
from napari_framewise.framework.transform import Transform, moved_points, moved_shapes, warp_block
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

SHAPE = (44, 52)
COUNT = 2
"""Transforms, each for its own frame."""
INSIDE = st.lists(
    st.tuples(st.floats(12, SHAPE[0] - 13), st.floats(12, SHAPE[1] - 13)), min_size=1, max_size=8
).map(lambda rows: np.array(rows) + 0.013)
CHEAP = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


def scene(points: Array) -> Array:
    """A smooth image at points (..., 2)."""
    row, column = points[..., 0], points[..., 1]
    return 50 + 20 * np.sin(row / 6) * np.cos(column / 7) + 0.3 * row


def blocky(points: Array) -> Array:
    """Labels, in squares of 8 pixels, at whole pixels (..., 2)."""
    return (1 + points[..., 0] // 8 * 7 + points[..., 1] // 8).astype(np.uint8)


def pixels() -> Array:
    return np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).astype(float)


class TransformContract:
    """What every transform must keep."""

    tolerance, inverse_tolerance = 1e-9, 1e-9
    """Pixels by which `pull_back` may miss what is known, and the way there and back its start."""

    @pytest.fixture
    def transform(self) -> Transform:
        """Of `COUNT` frames of `SHAPE`, moved by less than 8 pixels."""
        raise NotImplementedError

    def known(self, points: Array, frame: int) -> Array:
        """Where output points are in the input."""
        raise NotImplementedError

    def stack(self, transform: Transform) -> Stack:
        """A stack that the transform fits."""
        return stack_of(np.zeros((COUNT, *SHAPE), np.float32), axes=("t", "y", "x"))

    @CHEAP
    @given(points=INSIDE, frame=st.integers(0, COUNT - 1))
    def test_points_are_pulled_back(self, transform: Transform, points: Array, frame: int) -> None:
        found = transform.pull_back(points, frame)
        np.testing.assert_allclose(found, self.known(points, frame), atol=self.tolerance)

    @CHEAP
    @given(points=INSIDE, frame=st.integers(0, COUNT - 1))
    def test_push_is_the_way_back(self, transform: Transform, points: Array, frame: int) -> None:
        close = {"atol": self.inverse_tolerance, "rtol": 0}
        there = transform.pull_back(points, frame)
        np.testing.assert_allclose(transform.push(there, frame), points, **close)
        back = transform.inverse()
        assert (back.source, back.target) == (transform.target, transform.source)
        np.testing.assert_allclose(back.pull_back(there, frame), points, **close)
        np.testing.assert_allclose(back.push(points, frame), there, **close)

    @CHEAP
    @given(points=INSIDE, frame=st.integers(0, COUNT - 1))
    def test_the_jacobian_is_that_of_pull_back(
        self, transform: Transform, points: Array, frame: int
    ) -> None:
        # Away from the pixels' centres, where an interpolated map may have an edge.
        at = np.floor(points) + np.clip(points - np.floor(points), 0.1, 0.9)
        step = 1e-4
        found = transform.jacobian(at, frame)
        for axis in range(2):
            aside = step * np.eye(2)[axis]
            ahead = transform.pull_back(at + aside, frame)
            change = (ahead - transform.pull_back(at - aside, frame)) / (2 * step)
            np.testing.assert_allclose(found[:, :, axis], change, atol=1e-6)

    @pytest.mark.parametrize("frame", range(COUNT))
    def test_an_image_is_the_scene_at_the_points_pulled_back(
        self, transform: Transform, frame: int
    ) -> None:
        at = self.known(pixels(), frame)
        image = scene(pixels())
        planes = np.stack([image, -2 * image])
        last = np.array(SHAPE) - 1
        outside = ((at < -1e-3) | (at > last + 1e-3)).any(axis=-1)
        inside = ((at > 6) & (at < last - 6)).all(axis=-1)
        assert inside.any()
        assert outside.any()
        for order, close in ((3, 0.02), (1, 0.3)):
            found = transform.warp_image(planes, frame, order)
            assert found.shape == planes.shape
            assert np.isnan(found[:, outside]).all()
            np.testing.assert_allclose(found[0][inside], scene(at[inside]), atol=close)
            np.testing.assert_allclose(found[1][inside], -2 * scene(at[inside]), atol=2 * close)

    @pytest.mark.parametrize("frame", range(COUNT))
    def test_labels_are_those_of_the_nearest_pixel(self, transform: Transform, frame: int) -> None:
        at = self.known(pixels(), frame)
        near = np.rint(at)
        clear = (np.abs(at - near) < 0.49).all(axis=-1)
        within = ((near >= 0) & (near < SHAPE)).all(axis=-1)
        found = transform.warp_labels(blocky(pixels())[None], frame)[0]
        assert found.dtype == np.uint8
        wanted = np.where(within, blocky(np.clip(near, 0, np.array(SHAPE) - 1)), 0)
        np.testing.assert_array_equal(found[clear], wanted[clear])

    def test_a_block_is_moved_frame_by_frame(self, transform: Transform) -> None:
        frames = np.stack([scene(pixels()), scene(pixels() + 1)])
        out = np.empty((COUNT, *SHAPE))
        bare = transform.with_maps(transform.maps[:0])
        warp_block(frames, transform.maps, bare, 3, False, out)
        for number, frame in enumerate(frames):
            np.testing.assert_array_equal(out[number], transform.warp_image(frame[None], number)[0])

    @pytest.mark.parametrize("back", [False, True])
    def test_points_and_shapes_are_moved_exactly(self, transform: Transform, back: bool) -> None:
        stack = self.stack(transform)
        axes = Grid(stack.axes)
        places = np.array([[20.25, 30.5], [25.0, 14.75], [18.5, 22.5], [22.0, 36.0]])
        outputs, inputs = transform.frames_of(stack.n_frames, stack.name)
        come, go = (outputs, inputs) if back else (inputs, outputs)
        move = transform.pull_back if back else transform.push
        for number in range(COUNT):
            wanted = np.column_stack([np.full(4, go[number]), move(places, number)])
            data = np.column_stack([np.full(4, come[number]), places])
            away = np.array([[come[number], 5000.0, 5.0]])
            points = PointsResult(
                "spots",
                np.concatenate([away, data]),
                axes,
                features=Table("spots", "object", {"size": np.arange(5.0)}),
            )
            moved = moved_points(points, stack, transform, back=back)
            known = np.isfinite(move(away[:, 1:], number)).all()
            np.testing.assert_array_equal(moved.data[-4:], wanted)
            assert len(moved.data) == 4 + known
            assert moved.features is not None
            assert moved.features.columns["size"][-4:].tolist() == [1, 2, 3, 4]
            shapes = ShapesResult(
                "cells", [data, data[:3]], axes, ("rectangle", "path"), widths=np.ones(2)
            )
            shapes = moved_shapes(shapes, stack, transform, back=back)
            np.testing.assert_array_equal(shapes.data[0], wanted)
            np.testing.assert_array_equal(shapes.data[1], wanted[:3])
            assert shapes.types == ("polygon", "path")

    def test_an_ellipse_becomes_a_polygon_on_it(self, transform: Transform) -> None:
        stack = self.stack(transform)
        axes = Grid(stack.axes)
        _, inputs = transform.frames_of(stack.n_frames, stack.name)
        corners = np.array([[18.0, 20], [18, 30], [26, 30], [26, 20]])
        data = np.column_stack([np.full(4, inputs[0]), corners])
        drawn = ShapesResult("cell", [data], axes, "ellipse")
        moved = moved_shapes(drawn, stack, transform)
        assert moved.types == ("polygon",)
        back = (transform.pull_back(moved.data[0][:, 1:], 0) - [22, 25]) / [4, 5]
        np.testing.assert_allclose((back**2).sum(axis=1), 1, atol=self.inverse_tolerance)

    def test_it_fits_a_role_that_takes_any_transform(self, transform: Transform) -> None:
        role = Input("move", Kind.MODEL, "Transform", "How.", model_kind=Transform)
        assert takes_model(role, transform)
