"""Stacks that are aligned: pauses, jumps, blank frames, borders, little signal, a crop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import napari_framewise as fw

SHAPE = (64, 72)


def film(path: np.ndarray, noise: float = 4.0, seed: int = 1) -> np.ndarray:
    """A scene seen through a window that moves along a path (n, 2); values around 100."""
    rng = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(rng.normal(size=(120, 128)), 2.5)
    scene = 100 + 25 * scene / scene.std()
    rows, columns = np.mgrid[28 : 28 + SHAPE[0], 28 : 28 + SHAPE[1]].astype(float)
    whole = ndimage.spline_filter(scene, 3)
    frames = [
        ndimage.map_coordinates(whole, [rows + y, columns + x], order=3, prefilter=False)
        for y, x in path
    ]
    return np.array(frames) + rng.normal(0, noise, (len(path), *SHAPE))


def shifts(outcome: fw.Outcome) -> np.ndarray:
    table = outcome.table("alignment").columns
    return np.column_stack([table["row"], table["column"]])


def away(outcome: fw.Outcome, path: np.ndarray, good: np.ndarray | None = None) -> np.ndarray:
    """Errors of the shifts, told from their mean: the path runs against them."""
    errors = shifts(outcome) + path
    return errors - errors[good].mean(axis=0)


MODES: list[Any] = [{"to": "mean"}, {"to": "frame"}, {"to": "previous"}, {"to": "running_mean"}]


@pytest.mark.parametrize("given", MODES)
def test_a_jump_after_a_pause_is_followed(given: Any) -> None:
    path = np.zeros((16, 2))
    path[9:] = [7.3, -9.6]
    outcome = fw.run("alignment", stack=film(path), motion="translation", **given)
    assert np.abs(away(outcome, path)).max() < 0.25
    assert "bad" not in outcome.table("alignment").columns


@pytest.mark.parametrize("given", MODES)
def test_drift_is_carried_across_blank_frames(given: Any) -> None:
    path = np.column_stack([0.9 * np.arange(14), -1.2 * np.arange(14)])
    frames = film(path)
    frames[[0, 6, 7]] = 3.0
    blank = np.zeros(14, bool)
    blank[[0, 6, 7]] = True
    if given["to"] in ("mean", "frame"):
        given = {**given, "reference_frame": 1}
    outcome = fw.run("alignment", stack=frames, motion="translation", **given)
    assert np.abs(away(outcome, path, ~blank)[~blank]).max() < 0.3
    table = outcome.table("alignment").columns
    assert set(table["bad"][blank]) == {"blank"}
    assert set(table["bad"][~blank]) == {""}
    assert np.isnan(table["row"][blank]).all()
    assert any("3 frames are bad: blank (0, 6, 7)" in each for each in outcome.diagnostics)


def test_black_borders_do_not_make_it_wobble() -> None:
    rng = np.random.default_rng(4)
    path = rng.normal(0, 0.5, (24, 2))
    frames = film(path)
    for frame, (top, side) in zip(frames, rng.integers(0, 7, (24, 2)), strict=True):
        frame[:top], frame[:, :side] = np.nan, np.nan
    outcome = fw.run("alignment", stack=frames, motion="translation")
    assert np.abs(away(outcome, path)).max() < 0.2
    assert np.nanmax(outcome.table("residual_motion").columns["motion"]) < 0.1


@pytest.mark.parametrize("given", [*MODES[:1], *MODES[3:], {"to": "mean", "reference": "alike"}])
def test_a_reference_does_not_creep_away_at_low_signal(given: Any) -> None:
    still = np.zeros((40, 2))
    outcome = fw.run("alignment", stack=film(still, noise=25.0), motion="translation", **given)
    found = shifts(outcome)
    number = np.arange(40) - 19.5
    known = np.isfinite(found).all(axis=1)
    assert known.sum() > 36
    slope = (found[known] * number[known, None]).sum(0) / (number[known] ** 2).sum()
    # Over the whole stack no more than three standard errors of a line through these shifts.
    spread = found[known].std(axis=0)
    assert (np.abs(slope) < 3.5 * spread / np.sqrt((number[known] ** 2).sum()) + 1e-3).all()
    # No constant false shift: the mean lies where the reference lies, within its noise.
    first = 0 if given.get("reference") != "alike" and given["to"] != "mean" else None
    if first is None:
        assert (np.abs(found[known].mean(axis=0)) < 0.15).all()


def test_frames_that_are_alike_serve_where_they_drift_far() -> None:
    path = np.linspace(-1, 1, 12)[:, None] * [9.0, -7.0]
    outcome = fw.run("alignment", stack=film(path), motion="translation", reference="alike")
    assert np.abs(away(outcome, path)).max() < 0.1


def test_bad_frames_are_marked_with_their_reason_and_left_out() -> None:
    rng = np.random.default_rng(8)
    path = rng.normal(0, 1.0, (30, 2))
    path[21] += 15
    frames = film(path).clip(0, 255)
    frames[5] = 0
    frames[11] = (frames[11] * 3).clip(0, 255)
    blurred = ndimage.gaussian_filter(frames[16], 5)
    frames[16] = (blurred + rng.normal(0, 4, SHAPE)).clip(0, 255)
    outcome = fw.run("alignment", stack=np.rint(frames).astype(np.uint8), motion="translation")
    bad = outcome.table("alignment").columns["bad"]
    found = {int(number): str(bad[number]) for number in np.flatnonzero(bad != "")}
    assert found == {5: "blank", 11: "saturated", 16: "out of focus", 21: "jump"}
    assert any("4 frames are bad" in each for each in outcome.diagnostics)
    good = bad == ""
    assert np.abs(away(outcome, path, good)[good]).max() < 0.2


def test_the_crop_shows_what_all_frames_show() -> None:
    path = np.column_stack([np.linspace(0, 9, 8), np.linspace(0, -5, 8)])
    stack = fw.stack_of(film(path), scale=(1, 0.5, 0.5), units=("", "um", "um"))
    plain = fw.run("alignment", stack=stack, motion="translation", to="frame")
    outcome = fw.run("alignment", stack=stack, motion="translation", to="frame", crop=True)
    layer = outcome.layer("stack aligned")
    data = np.asarray(layer.data)
    assert np.isfinite(data).all()
    assert data.shape[1] in (54, 55)
    assert data.shape[2] in (66, 67)
    whole = np.asarray(plain.layer("stack aligned").data)
    start = np.round(np.array(layer.grid.translate[1:]) / 0.5).astype(int)
    part = whole[:, start[0] : start[0] + data.shape[1], start[1] : start[1] + data.shape[2]]
    np.testing.assert_allclose(data, part, atol=1e-3)


def test_motion_that_is_left_is_given_with_the_result() -> None:
    rng = np.random.default_rng(9)
    path = rng.normal(0, 1.5, (40, 2))
    outcome = fw.run("alignment", stack=film(path), motion="translation")
    table = outcome.table("residual_motion").columns
    assert np.sqrt((table["motion"] ** 2).sum()) < 0.1
    assert "px of motion are left" in outcome.summary
    # Half of the motion was taken back only: what is left is the other half.
    half = outcome.models[0]
    matrices = half.matrices.copy()
    matrices[:, :2, 2] /= 2
    given = half.with_maps(matrices)
    again = fw.run("alignment", stack=film(path), transforms=given)
    found = np.sqrt((again.table("residual_motion").columns["motion"] ** 2).sum())
    truth = np.sqrt(((path - path.mean(axis=0)) ** 2).sum(axis=1).mean()) / 2
    assert found == pytest.approx(truth, rel=0.15)
    quiet = fw.run("alignment", stack=film(path), motion="translation", judge=False)
    assert "left" not in quiet.summary
