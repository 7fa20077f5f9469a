from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.standardise import TOOL

LAYOUTS = [((12, 9, 10, 3), -1), ((12, 3, 9, 10), 1), ((12, 9, 10), None)]


def frames_of(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.abs(np.random.default_rng(1).normal(90, 30, shape)).astype(dtype)


def data_of(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.layer().data)  # type: ignore[union-attr]


def textbook(frames: np.ndarray, channel: int | None, per_frame: bool, ddof: int = 0) -> np.ndarray:
    values = frames.astype(np.float64)
    kept = {0} if per_frame else set()
    kept |= set() if channel is None else {channel % frames.ndim}
    inside = tuple(axis for axis in range(frames.ndim) if axis not in kept)
    spread = values.std(axis=inside, keepdims=True, ddof=ddof)
    return np.asarray((values - values.mean(axis=inside, keepdims=True)) / spread)


@pytest.mark.parametrize(("shape", "channel"), LAYOUTS)
@pytest.mark.parametrize("scope", ["frame", "stack"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f2", "f4", "f8", ">u2"])
def test_channels_of_every_layout_and_type(
    shape: tuple[int, ...], channel: int | None, scope: str, dtype: str
) -> None:
    frames = frames_of(dtype, shape)
    for result in ("lazy", "memory"):
        outcome = run(
            "standardise", stack=frames, scope=scope, channels_along=channel, result=result,
            dtype="float64", ddof=1,
        )  # fmt: skip
        wanted = textbook(frames, channel, scope == "frame", 1)
        np.testing.assert_allclose(data_of(outcome), wanted, rtol=1e-10, atol=1e-11)


def test_the_table_names_channels_and_the_model_undoes() -> None:
    frames = frames_of("u1", (12, 9, 10, 3))
    frames[5, :, :, 1] = 8
    outcome = run("standardise", stack=stack_of(frames, rgb=True))
    table = outcome.table()
    np.testing.assert_allclose(table.columns["mean_green"], frames[..., 1].mean(axis=(1, 2)))
    np.testing.assert_allclose(table.columns["std_green"], frames[..., 1].std(axis=(1, 2)))
    assert table.columns["gain_green"][5] == 0
    assert "5." in outcome.diagnostics[0]
    back = run("renormalise", stack=outcome.layer(), model=outcome.model(), direction="undo")
    np.testing.assert_array_equal(data_of(back), frames)


def test_given_means_and_deviations() -> None:
    frames = frames_of("u1", (6, 9, 10, 3))
    outcome = run(
        "standardise", stack=stack_of(frames, rgb=True), scope="given", means=(90, 91, 92),
        stds=(30,),
    )  # fmt: skip
    np.testing.assert_allclose(
        data_of(outcome), (frames - np.array([90.0, 91, 92])) / 30, rtol=1e-6, atol=1e-7
    )


def test_masked_pixels_take_no_part() -> None:
    frames = frames_of("u2", (6, 9, 10))
    mask = np.zeros((9, 10))
    mask[3:, 2:] = 1
    inside = frames[:, 3:, 2:].astype(np.float64)
    mean = inside.mean(axis=(1, 2), keepdims=True)
    spread = inside.std(axis=(1, 2), keepdims=True)
    outcome = run("standardise", stack=frames, mask=mask)
    np.testing.assert_allclose(data_of(outcome), (frames - mean) / spread, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"scope": "stack"}, {"scope": "given", "means": 1.0, "stds": 2.0}]
)
def test_the_preview_is_one_frame_of_the_run(options: dict[str, Any]) -> None:
    options = {
        name: (value,) if isinstance(value, float) else value for name, value in options.items()
    }
    frames = frames_of("u2", (6, 9, 10))
    inputs = TOOL.check_inputs({"stack": stack_of(frames)})
    parameters = TOOL.check_parameters(options)
    shown = TOOL.preview(inputs, parameters, 4)
    np.testing.assert_array_equal(
        shown.layer().data,  # type: ignore[union-attr]
        data_of(run("standardise", stack=frames, **options))[4],
    )
    assert "standardised" in TOOL.methods(inputs, parameters)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": "given"}, "Give both"),
        ({"scope": "given", "means": (1.0,)}, "Give both"),
        ({"means": (1.0,), "stds": (1.0,)}, "choose given"),
        ({"scope": "given", "means": (1.0, 2.0), "stds": (1.0,)}, "has 1 channel"),
        ({"scope": "given", "means": (1.0,), "stds": (-1.0,)}, "zero or more"),
        ({"ddof": -1}, "ddof"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run("standardise", stack=frames_of("u1", (3, 4, 5)), **options)
