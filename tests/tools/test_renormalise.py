from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.framework.model import Model
from napari_framewise.framework.outcome import Outcome
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.renormalise import TOOL

FRAMES = np.random.default_rng(0).integers(100, 4000, (9, 11, 12)).astype(np.uint16)


def data_of(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.layer().data)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def model() -> Model:
    return run("normalise", stack=FRAMES).model()


def test_a_stacks_own_offsets_on_another(model: Model) -> None:
    other = FRAMES * 2.0
    low = FRAMES.min(axis=(1, 2), keepdims=True)
    wanted = (other - low) / np.ptp(FRAMES, axis=(1, 2), keepdims=True)
    found = run("renormalise", stack=other, model=model, dtype="float64")
    np.testing.assert_allclose(data_of(found), wanted, rtol=1e-12)


def test_one_for_a_whole_stack_fits_any_number_of_frames() -> None:
    whole = run("normalise", stack=FRAMES, scope="stack")
    part = run("renormalise", stack=FRAMES[:3], model=whole.model())
    np.testing.assert_array_equal(data_of(part), data_of(whole)[:3])


def test_what_does_not_fit_into_integers_is_clipped_and_counted(model: Model) -> None:
    for result in ("lazy", "memory"):
        found = run("renormalise", stack=FRAMES, model=model, dtype="uint8", result=result)
        assert set(np.unique(data_of(found))) == {0, 1}
        back = run(
            "renormalise", stack=data_of(found) * 300.0, model=model, direction="undo",
            dtype="uint16", result=result,
        )  # fmt: skip
        clipped = back.table().columns["clipped"]
        np.testing.assert_array_equal(clipped > 0, np.ones(9, bool))
        assert "clipped" in back.diagnostics[-1]
        assert data_of(back).max() == 65535


def test_the_preview_is_one_frame_of_the_run(model: Model) -> None:
    inputs = TOOL.check_inputs({"stack": stack_of(FRAMES), "model": model})
    for direction in ("apply", "undo"):
        parameters = TOOL.check_parameters({"direction": direction})
        shown = TOOL.preview(inputs, parameters, 5)
        done = run("renormalise", stack=FRAMES, model=model, direction=direction)
        np.testing.assert_array_equal(shown.layer().data, data_of(done)[5])  # type: ignore[union-attr]
        assert TOOL.methods(inputs, parameters)


def test_another_number_of_frames_or_channels_is_refused(model: Model) -> None:
    with pytest.raises(ValueError, match="9 frames, each by itself"):
        run("renormalise", stack=FRAMES[:4], model=model)
    colour = np.zeros((9, 11, 12, 3), np.uint8)
    of_colour = run("standardise", stack=stack_of(colour, rgb=True)).model()
    with pytest.raises(ValueError, match="3 channels"):
        run("renormalise", stack=FRAMES, model=of_colour)
