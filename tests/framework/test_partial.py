"""Partial results from Python, in a recipe, and on a line of progress."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.helpers import relaxing

import napari_framewise as fw
from napari_framewise.cli import main
from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.outcome import Curve, Outcome, Plot, Table
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.tools import registry


@pytest.fixture(autouse=True)
def _tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TOOLS, "relaxing", relaxing.ENTRY)


def so_far(values: list[float]) -> Partial:
    table = Table("T", "iteration", {"iteration": np.arange(len(values)), "loss": values})
    return Partial(Outcome(tables=(table,), plots=(Plot("P", "T", "iteration", (Curve("loss"),)),)))


def test_the_newest_number_is_the_last_row_of_the_first_plot() -> None:
    assert so_far([3.0, 0.25]).text() == "loss = 0.25 at iteration 1"
    assert so_far([]).text() == ""
    assert Partial(Outcome(summary="nothing to plot")).text() == ""


def test_a_line_of_progress_shows_the_newest_number() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream=stream)
    line.show(so_far([1.0]))
    assert stream.getvalue().endswith("loss = 1 at iteration 0")
    line.show(Progress("Fitting", 3, 9))
    assert "33%  loss = 1 at iteration 0; Fitting: 3 of 9" in stream.getvalue()
    line.clear()
    line.show(Progress("Fitting", 4, 9))
    assert "loss" not in stream.getvalue().rpartition("\r")[2]


def long_plan(inputs: Any, parameters: Any, engine: Engine) -> Plan:
    return make_plan(MapFrames(), inputs.stacks("stack"), Cost(seconds=3600.0), engine)


def test_a_run_of_hours_says_so_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(relaxing, "TOOL", replace(relaxing.TOOL, plan=long_plan))
    frames = np.random.default_rng(2).random((9, 16, 20)).astype(np.float32)
    tifffile.imwrite(tmp_path / "s.tif", frames)
    assert main(["relaxing", str(tmp_path / "s.tif"), "--passes", "1", "--workers", "2"]) == 0
    said, printed = capsys.readouterr()[::-1]
    assert said.count("This takes 4 h 30 min or so for 9 frames") == 1
    assert "Smoothed" in printed
    fw.run("relaxing", stack=frames, passes=1, engine=Engine.local(2), progress=True)
    assert "This takes 4 h 30 min" in capsys.readouterr().err
    monkeypatch.setattr(relaxing, "TOOL", replace(relaxing.TOOL, plan=relaxing.plan))
    assert main(["relaxing", str(tmp_path / "s.tif"), "--passes", "1"]) == 0
    assert "This takes" not in capsys.readouterr().err


def test_python_a_recipe_and_the_command_line_take_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = np.random.default_rng(2).random((2, 16, 20)).astype(np.float32)
    tifffile.imwrite(tmp_path / "s.tif", frame)
    truth = frame[0].astype(float)
    for _ in range(12):
        truth = relaxing.relaxed(truth)
    outcome = fw.run("relaxing", stack=frame, passes=12)
    np.testing.assert_array_equal(outcome.layer().data, truth)
    assert len(outcome.table()) == 12
    ref = InputRef(path=str(tmp_path / "s.tif"))
    recipe = Recipe(
        steps=(Step(tool="relaxing", inputs={"stack": (ref,)}, parameters={"passes": 12}),)
    )
    (run,) = fw.run_recipe(recipe, [tmp_path / "s.tif"]).runs
    np.testing.assert_array_equal(run.outcomes[0].layer().data, truth)
    batch = fw.run_recipe(recipe, [tmp_path / "s.tif"] * 2, tmp_path / "both", progress=True)
    assert not batch.failed
    assert len(batch.table("Relaxing")) == 24
    assert "2 of 2" in capsys.readouterr().err
    code = main(
        ["relaxing", str(tmp_path / "s.tif"), "--passes", "12", "--output", str(tmp_path / "o")]
    )
    assert code == 0
    assert "Smoothed in 12 passes." in capsys.readouterr().out
    (table,) = (tmp_path / "o").glob("*.csv")
    np.testing.assert_allclose(
        fw.read_table(table)["change"], outcome.table().columns["change"], rtol=1e-12
    )
