"""The first use: what is compiled is told, and a second time nothing is."""

from __future__ import annotations

import io
import time

import pytest

from napari_framewise.framework import first_use, progress_line
from napari_framewise.framework.first_use import compiling_text, warm_up
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.numerics.compiling import COMPILATION
from napari_framewise.tools.registry import get_tool


def test_what_is_warm_is_not_compiled_again() -> None:
    tool = get_tool("statistics")
    warm_up(tool)
    assert warm_up(tool).kernels == 0


def test_it_is_said_while_a_kernel_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiling_text() == ""
    monkeypatch.setattr(progress_line, "_LOOK_SECONDS", 0.01)
    stream = io.StringIO()
    with ProgressLine(stream=stream):
        COMPILATION.begin()
        try:
            assert "first use on this machine" in compiling_text()
            deadline = time.monotonic() + 20
            while "Compiling" not in stream.getvalue() and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            COMPILATION.end()
    assert "Compiling for the first use" in stream.getvalue()
    assert first_use.compiling_text() == ""


def test_a_line_that_is_not_shown_says_nothing() -> None:
    stream = io.StringIO()
    with ProgressLine(shown=False, stream=stream):
        pass
    assert stream.getvalue() == ""
