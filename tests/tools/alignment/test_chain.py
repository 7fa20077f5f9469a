"""Frames aligned each to the one before: gaps are bridged, and a break is said."""

from __future__ import annotations

import numpy as np
import pytest

import napari_framewise as fw

from .test_stacks import SHAPE, away, film

COUNT = 14
PATH = np.column_stack([0.9 * np.arange(COUNT), -1.2 * np.arange(COUNT)])


def chained(frames: np.ndarray) -> fw.Outcome:
    return fw.run("alignment", stack=frames, motion="translation", to="previous", errors=False)


@pytest.mark.parametrize("gap", [[7], [7, 8], [5, 6, 7, 8, 9], [0], [0, 1], range(6)])
@pytest.mark.parametrize("kind", ["noise", "blank"])
def test_gaps_of_any_length_are_bridged(gap: list[int], kind: str) -> None:
    frames, rng = film(PATH), np.random.default_rng(6)
    for number in gap:
        frames[number] = rng.normal(100, 25, SHAPE) if kind == "noise" else 5
    good = np.ones(COUNT, bool)
    good[list(gap)] = False
    outcome = chained(frames)
    assert np.abs(away(outcome, PATH, good)[good]).max() < 0.1
    assert any("bridged" in each for each in outcome.diagnostics) == (gap[0] > 0)
    assert not any("breaks" in each for each in outcome.diagnostics)


def test_what_lies_behind_a_break_is_said() -> None:
    frames = film(PATH)
    frames[6:9] = film(PATH, seed=9)[6:9]
    outcome = chained(frames)
    same = np.r_[:6, 9:COUNT]
    assert np.abs(away(outcome, PATH, same)[same]).max() < 0.1
    (said,) = (each for each in outcome.diagnostics if "breaks" in each)
    assert "before frame 7:" in said
    assert "2 of the frames from 7 to 8 are placed" in said
    frames[6:] = film(PATH, seed=9)[6:]
    (said,) = (each for each in chained(frames).diagnostics if "breaks" in each)
    assert "7 of the frames from 7 to 13 are placed" in said
