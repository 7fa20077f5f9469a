"""Whose fault it is that nothing was aligned is said: the reference's, or the image's own."""

from __future__ import annotations

import numpy as np
import pytest

import napari_framewise as fw

from .test_stacks import away, film

PATH = np.column_stack([np.linspace(0, 3, 8), np.linspace(0, -2, 8)])


def faulty(kind: str) -> np.ndarray:
    rng = np.random.default_rng(11)
    frame = film(PATH)[0]
    if kind == "blank":
        frame[:] = 7
    elif kind == "missing":
        frame[:] = np.nan
    elif kind == "noise":
        frame = rng.normal(100, 25, frame.shape)
    elif kind == "saturated":
        frame[:], frame[:4] = 255, 200
    elif kind == "stripes":
        frame[:] = 100 + 50 * np.sin(np.arange(frame.shape[1]) / 3)
    else:
        frame = film(PATH, seed=5)[0]
    return frame


SAID = {
    "blank": "is of one value",
    "missing": "has no usable pixels",
    "noise": "shows hardly more than noise",
    "saturated": "as if saturated",
    "stripes": "no texture along some direction",
    "another scene": "is unlike most frames, which are like each other",
}


@pytest.mark.parametrize("kind", list(SAID))
def test_the_reference_is_named(kind: str) -> None:
    frames = film(PATH)
    frames[0] = faulty(kind)
    # Of so few frames nobody can tell which is bad, nor take another.
    few = frames if kind == "another scene" else frames[:4]
    outcome = fw.run("alignment", stack=few, motion="translation", to="frame", errors=False)
    assert outcome.diagnostics[0].startswith("The reference frame 0 ")
    assert SAID[kind] in outcome.diagnostics[0]


@pytest.mark.parametrize("kind", [each for each in SAID if each != "another scene"])
def test_a_template_and_a_single_image_are_named(kind: str) -> None:
    good, bad = film(PATH)[0], faulty(kind)
    given = {"motion": "translation", "errors": False}
    outcome = fw.run("alignment", stack=good, template=bad, **given)
    assert outcome.diagnostics[0].startswith("The template, template, ")
    assert SAID[kind] in outcome.diagnostics[0]
    assert SAID[kind] in outcome.summary
    outcome = fw.run("alignment", stack=bad, template=good, **given)
    assert outcome.diagnostics[0].startswith("stack ")
    assert SAID[kind] in outcome.diagnostics[0]


def test_nobody_is_blamed_where_frames_were_aligned() -> None:
    for to in ("frame", "mean", "previous"):
        outcome = fw.run("alignment", stack=film(PATH), motion="translation", to=to, errors=False)
        assert not any("reference" in each for each in outcome.diagnostics)


@pytest.mark.parametrize("kind", ["blank", "missing", "noise"])
@pytest.mark.parametrize("to", ["frame", "mean"])
def test_the_nearest_good_frame_is_taken_for_one_that_shows_nothing(kind: str, to: str) -> None:
    frames = film(PATH)
    frames[0] = faulty(kind)
    outcome = fw.run("alignment", stack=frames, motion="translation", to=to, errors=False)
    assert outcome.diagnostics[0].endswith("frame 1 was taken instead.")
    good = np.arange(8) > 0
    assert np.abs(away(outcome, PATH, good)[good]).max() < 0.1
