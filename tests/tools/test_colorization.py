from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.tool_contract import ToolContract, blobs

from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import ImageResult, Outcome, PointsResult, ShapesResult
from napari_framewise.framework.recipe import InputRef
from napari_framewise.io.formats.legends import write_legend
from napari_framewise.numerics.colorization import chroma_of, luminance_of
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.colorization import TOOL
from napari_framewise.tools.colorization.kept import Kept
from napari_framewise.tools.registry import get_tool

# Colours of 8 bits, as files of legends hold them.
RED, GREEN = (230 / 255, 51 / 255, 26 / 255), (26 / 255, 179 / 255, 51 / 255)


def scene(shape: tuple[int, int] = (40, 50)) -> tuple[Array, Array]:
    """A bright disc on a dark ground, and which pixels belong to the disc."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    disc = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < (min(shape) / 3.5) ** 2
    noise = np.random.default_rng(0).normal(0, 3, shape)
    return (np.where(disc, 170, 80) + noise).round().clip(1, 254).astype(np.uint8), disc


GREY, DISC = scene()


def painted(
    shape: tuple[int, int] = (40, 50), colours: Any = (RED, GREEN), name: str = "marks"
) -> Any:
    """Labels 1 in the disc and 2 beside it, in these colours."""
    labels = np.zeros(shape, np.uint8)
    labels[shape[0] // 2, shape[1] // 2 - 3 : shape[1] // 2 + 4] = 1
    labels[2, 5:-5] = 2
    legend = Legend(np.array([1, 2]), np.array([[*each, 1.0] for each in colours]))
    return replace(stack_of(labels, axes=("y", "x"), name=name), legend=legend)


class TestContract(ToolContract):
    name = "colorization"
    compares = "pixels"
    # Grey values are divided by it, so that the unit goes.
    parameters: ClassVar[dict[str, Any]] = {"white": 128.0}
    scaled_parameters = ("white",)
    # Double precision of whole numbers is what single precision shows of them.
    float_rtol = 1e-6

    def frames(self) -> Array:
        return blobs(3)

    def others(self, unit: float = 1.0) -> dict[str, Any]:
        return {"scribbles": painted((20, 24))}

    @staticmethod
    def _saved(path: Path, value: Any) -> InputRef:
        stack = value if isinstance(value, Stack) else None
        np.save(path, value if stack is None else stack.frame(0))
        if stack is not None and stack.legend is not None:
            write_legend(stack.legend, path)
        return InputRef(path=str(path), name=path.stem)


def outcome(stack: Any = GREY, scribbles: Any = None, **given: Any) -> Outcome:
    marks = painted() if scribbles is None else scribbles
    return run("colorization", stack=stack, scribbles=marks, **given)


def image(found: Outcome, name: str = "colorized") -> Array:
    layer = next(each for each in found.layers if each.name.endswith(name))
    assert isinstance(layer, ImageResult)
    return np.asarray(layer.data)


def test_colours_spread_up_to_the_edge_and_luminance_stays() -> None:
    made = image(outcome())
    assert made.dtype == np.float32
    np.testing.assert_allclose(luminance_of(made), GREY / 255, atol=2e-7)
    for where, colour in ((DISC, RED), (~DISC, GREEN)):
        wanted, found = chroma_of(colour), np.median(chroma_of(made)[where], axis=0)
        assert np.sign(found).tolist() == np.sign(wanted).tolist()
        share = np.abs(chroma_of(made)[where] - found).max(axis=-1) < 0.1
        assert share.mean() > 0.85


def test_a_painted_pixel_keeps_its_colour() -> None:
    gentle = ((0.55, 0.45, 0.5), (0.3, 0.36, 0.3))
    made = chroma_of(image(outcome(scribbles=painted(colours=gentle))))
    np.testing.assert_allclose(made[20, 22:29], np.tile(chroma_of(gentle[0]), (7, 1)), atol=1e-6)
    np.testing.assert_allclose(made[2, 5:-5], np.tile(chroma_of(gentle[1]), (40, 1)), atol=1e-6)


def test_points_shapes_and_a_painted_copy_do_as_labels_do() -> None:
    wanted = image(outcome())
    under = stack_of(GREY, axes=("y", "x"))
    labels = painted()
    at = np.argwhere(np.asarray(labels.frame(0)) > 0)
    numbers = np.asarray(labels.frame(0))[tuple(at.T)]
    colours = np.array([[*RED, 1.0], [*GREEN, 1.0]])
    points = PointsResult("points", at.astype(float), under.grid, colours=colours[numbers - 1])
    np.testing.assert_allclose(image(outcome(under, points)), wanted, atol=1e-6)
    lines = [np.array([[20.0, 22.0], [20.0, 28.0]]), np.array([[2.0, 5.0], [2.0, 44.0]])]
    shapes = ShapesResult(
        "shapes", lines, under.grid, shape_type="path", colours=colours, widths=np.ones(2)
    )
    apart = np.abs(image(outcome(under, shapes)) - wanted)
    assert np.median(apart) < 0.02
    copy = np.repeat(GREY[..., None], 3, axis=-1)
    copy[tuple(at.T)] = (colours[numbers - 1, :3] * 255).round()
    over = stack_of(copy, axes=("y", "x", "c"), rgb=True, name="painted over")
    np.testing.assert_allclose(image(outcome(under, over)), wanted, atol=0.01)


def test_frames_are_solved_apart_or_together() -> None:
    movie = np.stack([GREY] * 3)
    labels = np.zeros(movie.shape, np.uint8)
    labels[1] = np.asarray(painted().frame(0))
    legend = Legend(np.array([1, 2]), np.array([[*RED, 1.0], [*GREEN, 1.0]]))
    marks = replace(stack_of(labels, axes=("t", "y", "x"), name="marks"), legend=legend)
    stack = stack_of(movie, axes=("t", "y", "x"))
    apart = outcome(stack, marks)
    assert any("2 of 3 frames have no scribble" in said for said in apart.diagnostics)
    made = image(apart)
    assert np.ptp(made[0], axis=-1).max() < 1e-6
    np.testing.assert_array_equal(made[1], image(outcome()))
    together = image(outcome(stack, marks, in_time=True))
    assert (together[0][DISC][:, 0] > together[0][DISC][:, 1]).mean() > 0.8
    np.testing.assert_allclose(luminance_of(together), movie / 255, atol=2e-7)


def test_gaps_and_parts_that_no_scribble_reaches() -> None:
    grey = GREY.astype(np.float32)
    grey[:, 30] = np.nan
    labels = painted()
    source = np.array(labels.frame(0))
    source[:, 30:] = 0
    marks = replace(stack_of(source, axes=("y", "x"), name="marks"), legend=labels.legend)
    found = outcome(grey, marks, white=255)
    made = image(found)
    assert np.isnan(made[:, 30]).all()
    assert np.ptp(made[:, 31:], axis=-1).max() < 1e-6
    assert found.table().columns["unreached"][0] == 40 * 19
    assert any("no scribble reaches" in said for said in found.diagnostics)
    assert any("no data" in said for said in found.diagnostics)


def test_it_lies_where_the_stack_lies_in_its_order_of_axes() -> None:
    movie = np.stack([GREY, GREY], axis=1)
    stack = stack_of(movie, axes=("y", "t", "x"), scale=(0.5, 2, 0.25), units=("um", "s", "um"))
    found = outcome(stack, show_weights=True)
    layer = found.layers[0]
    assert isinstance(layer, ImageResult)
    assert layer.data.shape == (40, 2, 50, 3)
    assert [axis.scale for axis in layer.grid.axes] == [0.5, 2, 0.25]
    np.testing.assert_array_equal(np.asarray(layer.data)[:, 1], image(outcome()))
    weights = image(found, "weights")
    assert weights.shape == (8, 40, 50)
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-6)


def test_factors_are_kept_where_only_colours_change(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_framewise.tools.colorization import kept

    made = []
    plain = kept.factored
    monkeypatch.setattr(kept, "_KEPT", Kept())
    monkeypatch.setattr(kept, "factored", lambda *given: made.append(1) or plain(*given))
    first = image(outcome())
    other = image(outcome(scribbles=painted(colours=(GREEN, RED))))
    assert len(made) == 1
    assert np.abs(first - other).max() > 0.1
    moved = np.roll(np.asarray(painted().frame(0)), 1, axis=0)
    outcome(
        scribbles=replace(stack_of(moved, axes=("y", "x"), name="moved"), legend=painted().legend)
    )
    assert len(made) == 2


def test_what_is_kept_is_bounded() -> None:
    store = Kept()
    for number in range(5):
        store.answer(number, lambda: object(), lambda made: 2**29)
    assert store.found(0) is None
    assert store.found(4) is not None
    assert store.found(3) is not None
    assert store.found(2) is None


def test_the_quick_preview_is_followed_by_the_exact_one() -> None:
    grey, _ = scene((220, 240))
    inputs = TOOL.check_inputs({"stack": (stack_of(grey),), "scribbles": (painted((220, 240)),)})
    parameters = TOOL.check_parameters({})
    quick = TOOL.preview(inputs, parameters, 0)
    assert "quick answer" in quick.summary
    assert TOOL.refine is not None
    exact = TOOL.refine(inputs, parameters, 0)
    assert "quick" not in exact.summary
    wanted = image(outcome(grey, painted((220, 240))))
    np.testing.assert_array_equal(image(exact), wanted)
    assert np.sqrt(np.mean((image(quick) - wanted) ** 2)) < 0.08
    again = TOOL.preview(inputs, parameters, 0)
    np.testing.assert_array_equal(image(again), wanted)


def test_what_takes_too_much_memory_is_said() -> None:
    large = np.broadcast_to(np.uint8(7), (30_000, 30_000))
    marks = np.zeros((30_000, 1), np.uint8)
    with pytest.raises(ValueError, match=r"would take about .* GiB"):
        run("colorization", stack=large, scribbles=np.broadcast_to(marks, large.shape))
    # Before a run too, where a panel asks how it will be cut.
    given = {"stack": stack_of(large), "scribbles": stack_of(np.broadcast_to(marks, large.shape))}
    inputs = TOOL.check_inputs({name: [each] for name, each in given.items()})
    with pytest.raises(ValueError, match=r"would take about .* GiB"):
        TOOL.plan(inputs, TOOL.check_parameters({}), Engine.local())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scribbles": np.zeros((40, 50), np.uint8)}, "is marked with a colour"),
        ({"scribbles": np.ones((40, 50), np.uint8)}, "have no colour"),
        ({"scribbles": np.ones((7, 9), np.uint8)}, "of that size|7 x 9"),
        (
            {"stack": stack_of(np.zeros((40, 50, 3), np.uint8), axes=tuple("yxc"), rgb=True)},
            "has colours already",
        ),
        ({"white": 0}, "greater than 0"),
    ],
)
def test_bad_input_is_told_in_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        outcome(**given)
    assert "\n" not in str(caught.value)


def test_constant_and_empty_images() -> None:
    flat = image(outcome(np.full((40, 50), 100, np.uint8)))
    assert np.isfinite(flat).all()
    empty = outcome(np.full((40, 50), np.nan))
    assert np.isnan(image(empty)).all()
    assert any("no data" in said for said in empty.diagnostics)
    assert get_tool("colorization").menu == "data"
