from __future__ import annotations

import io

import pytest

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.progress_line import ProgressLine, line_of

HALF = Progress("Fitting", 2_000, 4_000, elapsed=2.0)


def test_a_line_says_how_far_how_fast_and_how_long() -> None:
    assert line_of(HALF) == (
        "[############............]  50%  Fitting: 2,000 of 4,000 frames, 2 s left, 1,000 a second"
    )


def test_a_line_knows_no_rate_before_it_began() -> None:
    assert (
        line_of(Progress("Fitting", 0, 4_000)) == f"[{'.' * 24}]   0%  Fitting: 0 of 4,000 frames"
    )


def shown_on(text: str) -> str:
    """What a terminal shows in the end of a text with carriage returns."""
    line = ""
    for part in text.split("\r"):
        line = part + line[len(part) :]
    return line.rstrip()


def test_reports_are_written_over_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.StringIO()
    with ProgressLine(stream=stream) as line:
        line.show(HALF)
        assert shown_on(stream.getvalue()) == line_of(HALF)
        line.show(Progress("Fit", 1, 1))
        assert shown_on(stream.getvalue()) == line_of(Progress("Fit", 1, 1))
        assert "\n" not in stream.getvalue()
    assert shown_on(stream.getvalue()) == ""


def test_a_narrow_terminal_keeps_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    stream = io.StringIO()
    ProgressLine(stream=stream).show(HALF)
    assert len(stream.getvalue().strip("\r")) == 29


def test_a_line_that_is_not_shown_writes_nothing() -> None:
    stream = io.StringIO()
    with ProgressLine(shown=False, stream=stream) as line:
        line.show(HALF)
        line.clear()
    assert stream.getvalue() == ""
