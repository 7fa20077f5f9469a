"""Inpainting: contract, frames with a hole each, and a run that is steered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.outcome import ImageResult, Outcome, ShapesResult
from napari_framewise.framework.session import Course, Session
from napari_framewise.framework.values import values_of
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.inpainting import TOOL
from napari_framewise.tools.inpainting.session import Filled, InpaintingSession


def stripes(frames: int = 3) -> Array:
    """Slanted stripes of period 4, each frame brighter."""
    rows, columns = np.indices((20, 24))
    wave = np.array([10, 40, 90, 40])[(rows + columns) % 4]
    return np.stack([wave + 5.0 * k for k in range(frames)])


def hole() -> Array:
    mask = np.zeros((20, 24), np.uint8)
    mask[7:13, 8:15] = 1
    return mask


class TestContract(ToolContract):
    name = "inpainting"
    value_columns = ("difference",)
    parameters = {"size": 5}  # noqa: RUF012

    def frames(self) -> Array:
        noise = np.random.default_rng(0).integers(0, 6, (3, 20, 24))
        return stripes() + noise

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        return {"hole": hole()}


def image(outcome: Outcome, name: str = "inpainted") -> Array:
    layer = outcome.layer(name)
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


def holed(frames: Array, mask: Array) -> Array:
    return np.where(mask != 0, np.nan, frames)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_a_texture_is_gone_on_with_in_every_type(dtype: str) -> None:
    frames = stripes().astype(dtype)
    spoilt = np.where(hole() != 0, 3, frames).astype(dtype)
    outcome = run("inpainting", stack=spoilt, hole=hole(), size=5)
    np.testing.assert_array_equal(image(outcome), frames)
    assert image(outcome).dtype == dtype
    assert not outcome.diagnostics
    assert "126 of 126 pixels" in outcome.summary


def test_colours_and_channels_are_filled_together() -> None:
    plane = stripes(1)[0]
    colours = np.stack([plane, 255 - plane, 0.5 * plane], axis=-1).astype(np.uint8)
    spoilt = np.where(hole()[..., None] != 0, 0, colours).astype(np.uint8)
    for stack, axes in ((stack_of(spoilt, rgb=True), ()), (spoilt, (-1,))):
        options = {"channels_along": axes[0]} if axes else {}
        outcome = run("inpainting", stack=stack, hole=hole(), size=5, **options)
        np.testing.assert_array_equal(image(outcome), colours)


def test_missing_pixels_are_the_hole_where_none_is_given() -> None:
    frames = stripes()
    masks = np.stack([np.roll(hole(), k, axis=1) for k in range(3)])
    by_gaps = run("inpainting", stack=holed(frames, masks), size=5)
    np.testing.assert_array_equal(image(by_gaps), frames)
    by_masks = run("inpainting", stack=frames, hole=masks, size=5)
    np.testing.assert_array_equal(image(by_masks), frames)
    order = image(by_masks, "filling order")
    assert (np.isfinite(order) == (masks != 0)).all()


def test_only_the_source_is_copied_from_and_gaps_outside_the_hole_stay() -> None:
    frame = stripes(1)[0]
    frame[:, 16:] = 200.0
    frame[2, 3] = np.nan
    source = np.zeros((20, 24))
    source[:, 16:] = 1
    outcome = run("inpainting", stack=frame, hole=hole(), source=source, size=5)
    assert (image(outcome)[hole() != 0] == 200).all()
    assert np.isnan(image(outcome)[2, 3])
    assert (outcome.table().columns["source_column"] >= 18).all()


def test_patches_shrink_where_no_larger_one_fits_and_it_is_said() -> None:
    frame = stripes(1)[0]
    source = np.zeros((20, 24))
    source[0:5, 0:24] = 1
    outcome = run("inpainting", stack=frame, hole=hole(), source=source, size=9)
    assert set(outcome.table().columns["size"]) == {5}
    assert outcome.table().columns["source_row"].dtype.kind == "i"
    assert "5 x 5" in outcome.diagnostics[0]
    source[:] = 0
    source[0, 0] = 1
    outcome = run("inpainting", stack=frame, hole=hole(), source=source)
    assert "were not filled" in outcome.diagnostics[0]
    assert np.isnan(image(outcome)[hole() != 0]).all()


def test_what_marks_nothing_or_all_is_said() -> None:
    with pytest.raises(ValueError, match="marks no pixel"):
        run("inpainting", stack=stripes(), hole=0 * hole())
    with pytest.raises(ValueError, match="no missing pixel"):
        run("inpainting", stack=stripes(1)[0])
    outcome = run("inpainting", stack=stripes(), hole=hole() * 0 + 1)
    assert len(outcome.diagnostics) == 3
    assert all("480 pixels were not filled" in each for each in outcome.diagnostics)
    with pytest.raises(ValueError, match="odd"):
        run("inpainting", stack=stripes(), hole=hole(), size=4)


def session_of(stack: Array, mask: Array, **options: Any) -> Session[Filled]:
    roles = {role.name: role for role in TOOL.inputs}
    given = {"stack": stack, "hole": mask}
    inputs = TOOL.check_inputs({name: values_of(roles[name], each) for name, each in given.items()})
    return InpaintingSession(inputs, TOOL.check_parameters(options), Engine.local())


def steps(session: Session[Filled], count: int = 10_000) -> None:
    for _ in range(count):
        if session.done:
            return
        finish(session.step(), lambda _: None)


def noisy() -> Array:
    return stripes(1)[0] + np.random.default_rng(3).normal(0, 4, (20, 24))


def test_steps_undo_and_steps_again_end_where_a_run_ends() -> None:
    expected = run("inpainting", stack=noisy(), hole=hole(), size=5)
    session = session_of(noisy(), hole(), size=5)
    steps(session, 6)
    first = session.outcome()
    for _ in range(4):
        session.undo()
    steps(session, 4)
    again = session.outcome()
    for name in ("inpainted", "filling order", "priority", "confidence"):
        np.testing.assert_array_equal(image(again, name), image(first, name))
    steps(session)
    for name in ("inpainted", "filling order", "priority", "confidence"):
        np.testing.assert_array_equal(image(session.outcome(), name), image(expected, name))
    for name, column in expected.table().columns.items():
        np.testing.assert_array_equal(session.outcome().table().columns[name], column)


def test_several_frames_step_by_step_are_those_of_a_run() -> None:
    stack = np.stack([noisy(), noisy()[::-1], noisy()[:, ::-1]])
    masks = np.stack([hole(), 0 * hole(), np.roll(hole(), 3, axis=0)])
    expected = run("inpainting", stack=stack, hole=masks, size=5)
    session = session_of(stack, masks, size=5)
    steps(session)
    np.testing.assert_array_equal(image(session.outcome()), image(expected))
    assert set(expected.table().columns["frame"]) == {0, 2}


def test_a_hole_that_is_edited_goes_on_from_what_is_filled_and_the_course_gives_the_same() -> None:
    session = session_of(noisy(), hole(), size=5)
    steps(session, 3)
    kept = image(session.outcome())
    filled = np.isfinite(image(session.outcome(), "filling order"))
    larger = hole()
    larger[3:7, 18:22] = 1
    larger[7, 8:15] = 0
    session.change("hole", values_of(TOOL.input("hole"), larger))
    steps(session)
    done = image(session.outcome())
    still = filled & (larger != 0)
    np.testing.assert_array_equal(done[still], kept[still])
    np.testing.assert_array_equal(done[larger == 0], noisy()[larger == 0])
    assert np.isfinite(image(session.outcome(), "filling order")[larger != 0]).all()
    again = run("inpainting", stack=noisy(), hole=hole(), size=5, course=session.course())
    np.testing.assert_array_equal(image(again), done)
    part = run("inpainting", stack=noisy(), hole=hole(), size=5, course=Course(steps=3))
    np.testing.assert_array_equal(image(part), kept)


def test_a_run_that_was_done_goes_on_where_more_is_painted() -> None:
    session = session_of(noisy(), hole(), size=5)
    steps(session)
    assert session.done
    larger = hole()
    larger[2:4, 2:4] = 1
    session.change("hole", values_of(TOOL.input("hole"), larger))
    assert not session.done
    steps(session)
    assert session.done


def test_the_front_lies_around_what_is_left() -> None:
    session = session_of(noisy(), hole(), size=5)
    front = session.outcome().layer("fill front")
    assert isinstance(front, ShapesResult)
    assert len(front.data) == 1
    before = len(front.data[0])
    steps(session, 3)
    front = session.outcome().layer("fill front")
    assert isinstance(front, ShapesResult)
    assert sum(map(len, front.data)) < before
