"""The tool Motion left: black borders, volumes, streaming, what is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import napari_framewise as fw
from napari_framewise.engine import Engine


def movie(
    size: float, count: int = 60, shape: tuple[int, ...] = (64, 72), noise: float = 1.0
) -> tuple[np.ndarray, float]:
    """A scene that is moved by an independent shift in every frame, and the RMS of the shifts."""
    rng = np.random.default_rng(8)
    wide = tuple(length + 24 for length in shape)
    scene = 100 * ndimage.gaussian_filter(rng.normal(size=wide), 2.5)
    inner = tuple(slice(12, -12) for _ in shape)
    shifts = rng.normal(0, size, (count, len(shape)))
    frames = np.array([ndimage.shift(scene, each, order=3)[inner] for each in shifts])
    away = shifts - shifts.mean(axis=0)
    return frames + rng.normal(0, noise, frames.shape), float(np.sqrt((away**2).sum(1).mean()))


def left(outcome: fw.Outcome) -> float:
    return float(np.sqrt((outcome.table("residual_motion").columns["motion"] ** 2).sum()))


def test_motion_is_found_and_said() -> None:
    frames, truth = movie(0.4)
    outcome = fw.run("residual_motion", stack=frames)
    assert left(outcome) == pytest.approx(truth, rel=0.15)
    assert "px of motion are left" in outcome.summary
    layer = outcome.layer("extremes")
    assert layer.data.shape == (10, 2, 64, 72)
    assert len(outcome.table("scores")) == 60


def test_a_still_stack_has_none() -> None:
    frames, _ = movie(0.0)
    outcome = fw.run("residual_motion", stack=frames)
    assert left(outcome) < 0.02
    assert set(outcome.table("residual_motion").columns["varies"]) == {"brightness or noise"}


@pytest.mark.parametrize("black", [0.0, np.nan])
def test_borders_that_move_are_no_motion(black: float) -> None:
    frames, _ = movie(0.0)
    rng = np.random.default_rng(3)
    for frame, (top, side) in zip(frames + 0, rng.integers(3, 9, (60, 2)), strict=True):
        frame[:top], frame[:, -side:] = black, black
    moved = frames.copy()
    for frame, (top, side) in zip(moved, rng.integers(3, 9, (60, 2)), strict=True):
        frame[:top], frame[:, -side:] = black, black
    outcome = fw.run("residual_motion", stack=moved)
    assert left(outcome) < 0.02
    if black == 0:
        assert any("Black borders" in each for each in outcome.diagnostics)


def test_blank_frames_are_left_out() -> None:
    frames, _ = movie(0.0)
    frames[10:14] = 0
    frames[20] = np.nan
    outcome = fw.run("residual_motion", stack=frames)
    assert left(outcome) < 0.02
    assert any("5 frames" in each for each in outcome.diagnostics)
    assert np.isnan(outcome.table("scores").columns["score_1"][[10, 20]]).all()


def test_volumes_and_large_frames_are_judged_in_their_own_pixels() -> None:
    frames, truth = movie(0.5, 40, (12, 30, 30))
    along = fw.Selection(frames_along=(0,))
    stack = fw.stack_of(frames, axes=("t", "z", "y", "x")).select(along)
    outcome = fw.run("residual_motion", stack=stack)
    assert left(outcome) == pytest.approx(truth, rel=0.25)
    frames, truth = movie(0.8, 40, (300, 280))
    outcome = fw.run("residual_motion", stack=frames, engine=Engine.local(1))
    assert outcome.layer("extremes").data.shape[2:] == (150, 140)
    assert left(outcome) == pytest.approx(truth, rel=0.15)


def test_few_frames_are_refused() -> None:
    frames, _ = movie(0.0, 12)
    with pytest.raises(ValueError, match="20 frames"):
        fw.run("residual_motion", stack=frames)
