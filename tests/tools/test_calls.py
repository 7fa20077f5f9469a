from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.helpers import toolbox

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.outcome import ImageResult
from napari_framewise.framework.values import stack_of_result, values_of
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools import registry
from napari_framewise.tools.calls import engine_for, run

ONE = Input("stack", Kind.STACK, "Stack", "Frames.")
SEVERAL = Input("references", Kind.FRAME, "References", "Images.", most=4)
MODEL = Input("model", Kind.MODEL, "Model", "Fitted.")


@pytest.fixture(autouse=True)
def _toolbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TOOLS, "shifts", toolbox.ENTRY)


@pytest.fixture
def moved() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    shifts = rng.integers(-3, 4, (12, 2))
    reference = rng.normal(size=(12, 16, 20))
    pairs = zip(reference, shifts, strict=True)
    return np.stack([np.roll(frame, shift, (0, 1)) for frame, shift in pairs]), reference, shifts


def test_a_tool_runs_on_arrays(moved: tuple[np.ndarray, ...]) -> None:
    frames, reference, shifts = moved
    outcome = run("shifts", stack=frames, reference=reference, upsampling=2)
    found = outcome.table("Shifts").columns
    np.testing.assert_array_equal(np.stack([found["rows"], found["columns"]], 1), shifts)
    np.testing.assert_array_equal(outcome.model("translation").shifts, shifts)  # type: ignore[attr-defined]


def test_progress_is_shown_and_wiped(
    moved: tuple[np.ndarray, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run("shifts", stack=moved[0], reference=moved[1], progress=True)
    said = capsys.readouterr()
    assert "Shifting: 12 of 12 frames" in said.err
    assert said.err.endswith(" \r")
    assert said.out == ""
    run("shifts", stack=moved[0], reference=moved[1])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stack": "a.tif"}, r"stack was given the text 'a.tif'; open the file first: stack=open"),
        ({"frames": 3}, r"shifts has no input or parameter 'frames'; the inputs are: stack, ref"),
        ({"upsampling": 0}, r"upsampling was given 0; it should be greater than or equal to 1\."),
        ({"reference": None}, r"reference: nothing was given; it takes one stack\."),
        ({"cluster": "tcp://x", "engine": Engine.local(1)}, r"Both an engine and a cluster"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    moved: tuple[np.ndarray, ...], change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        run("shifts", **{"stack": moved[0], "reference": moved[1], **change})


def test_one_value_stands_for_a_tuple_of_one() -> None:
    mixing = registry.get_tool("mixing")
    assert mixing.check_parameters({"lowest": 0.4}) == mixing.check_parameters({"lowest": [0.4]})


def test_lists_are_several_values_or_one_array() -> None:
    frames = [np.zeros((3, 4)), np.ones((3, 4))]
    several = values_of(SEVERAL, frames)
    assert [stack.name for stack in several] == ["references 1", "references 2"]
    stack = values_of(ONE, frames)
    assert isinstance(stack, Stack)
    assert stack.shape == (2, 3, 4)
    assert values_of(SEVERAL, [[[1, 2], [3, 4]]])[0].shape == (1, 2, 2)


def test_stacks_models_and_nothing_stay_as_they_are() -> None:
    stack = stack_of(np.zeros((2, 3, 4)))
    assert values_of(ONE, stack) is stack
    assert values_of(ONE, [stack]) == (stack,)
    assert values_of(ONE, None) is None
    assert values_of(MODEL, 5) == 5


@pytest.mark.parametrize("rgb", [False, True])
def test_a_result_is_an_input_of_the_next_tool(rgb: bool) -> None:
    axes = (Axis("t", 0.5, 1.0, "s"), Axis("y", 2.0, 0.0, "um"), Axis("x", 2.0, 0.0, "um"))
    data = np.zeros((2, 3, 4, 3) if rgb else (2, 3, 4))
    stack = values_of(ONE, ImageResult("mean", data, Grid(axes), rgb=rgb))
    assert stack.axes[:3] == axes
    assert (stack.name, stack.rgb, stack.n_frames) == ("mean", rgb, 2)
    assert stack.frame_shape == data.shape[1:]
    assert stack_of_result(ImageResult("mean", data, Grid(axes), rgb=rgb)).axes == stack.axes


def test_a_run_is_closed_where_a_report_fails() -> None:
    closed: list[bool] = []

    def running() -> Generator[int, None, str]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)
        return "done"

    seen: list[int] = []
    assert finish(running(), seen.append) == "done"
    assert seen == [1, 2]

    def broken(_: int) -> None:
        raise RuntimeError("no terminal")

    report: Callable[[int], None] = broken
    with pytest.raises(RuntimeError, match="no terminal"):
        finish(running(), report)
    assert closed == [True, True]


def test_an_engine_that_was_given_stays_open() -> None:
    closed: list[bool] = []

    class Given(Engine):
        def close(self) -> None:
            closed.append(True)

    engine = Given(Engine.local(1).executor)
    with engine_for(engine, None) as where:
        assert where is engine
    assert closed == []


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("alignment", {"motion": "affine", "brightness": False, "smoothing": 1.5}),
        ("flow", {"method": "iterative", "brightness": "constant", "window_sigma": 1.5}),
    ],
)
def test_numerics_get_the_parameters_and_have_their_defaults(
    tool: str, given: dict[str, Any]
) -> None:
    parameters = registry.get_tool(tool).parameters
    usual = parameters().settings  # type: ignore[attr-defined]
    assert usual == type(usual)()
    assert parameters(**given).settings == replace(usual, **given)  # type: ignore[attr-defined]
