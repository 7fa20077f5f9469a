from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers.recipes import add_tools, everything_on, write_frames

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.io.recipes.naming import parse_input
from napari_framewise.io.runs.batch import FileRun, run_batch
from napari_framewise.io.runs.outputs import Output

# The longer version: FRAMEWISE_KILLS=50 pytest tests/io/runs/test_killed.py
TRIALS = int(os.environ.get("FRAMEWISE_KILLS", "4"))


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tools(monkeypatch)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_run_that_is_killed_goes_on_and_gives_the_same(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    arguments = [str(tmp_path), str(TRIALS), "7"]
    path = os.pathsep.join([str(root), str(root / "src")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.io.runs.killing", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["faults"] == [], done.stderr
    assert said["kills"] > 0


def interrupted(paths: list[Path], out: Output) -> Any:
    """A batch that has done its first input and is still alive."""
    refs = [parse_input(str(path)) for path in paths]
    batch = run_batch(everything_on(paths[0]), refs, out, Engine.local(1))
    for report in batch:
        if isinstance(report, FileRun):
            break
    return batch


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    places = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for number, path in enumerate(places):
        write_frames(path, seed=number)
    return places


def again(paths: list[Path], out: Output, **parameters: Any) -> Any:
    refs = [parse_input(str(path)) for path in paths]
    batch = run_batch(everything_on(paths[0], **parameters), refs, out, Engine.local(1))
    return finish(batch, str)


def test_a_second_run_into_the_folder_is_refused_and_the_first_unharmed(
    paths: list[Path], tmp_path: Path
) -> None:
    out = Output(tmp_path / "out")
    first = interrupted(paths, out)
    with pytest.raises(ValueError, match="Another run is writing into"):
        again(paths, out)
    with pytest.raises(ValueError, match="Another run is writing into"):
        again(paths, Output(tmp_path / "out", overwrite=True))
    batch = finish(first, str)
    assert not batch.failed
    assert len(batch.written) == 3


def test_what_was_finished_is_not_computed_again(paths: list[Path], tmp_path: Path) -> None:
    out = Output(tmp_path / "out")
    interrupted(paths, out).close()
    before = (tmp_path / "out" / "a-means.csv").stat().st_mtime_ns
    batch = again(paths, out)
    assert (tmp_path / "out" / "a-means.csv").stat().st_mtime_ns == before
    expected = [2.0 * np.load(path).mean(axis=(1, 2)) for path in paths]
    np.testing.assert_allclose(batch.table("means").columns["mean"], np.concatenate(expected))
    assert batch.runs[0].outcomes[0].summary == batch.runs[1].outcomes[0].summary


@pytest.mark.parametrize("change", ["parameters", "input", "inputs"])
def test_another_run_is_refused_and_overwrites_where_it_is_told_to(
    paths: list[Path], tmp_path: Path, change: str
) -> None:
    interrupted(paths, Output(tmp_path / "out")).close()
    options: dict[str, Any] = {"factor": 5.0} if change == "parameters" else {}
    if change == "input":
        write_frames(paths[1], n=6, seed=9)
    used = paths[:1] if change == "inputs" else paths
    with pytest.raises(ValueError, match=r"unfinished results of another run; .*--overwrite"):
        again(used, Output(tmp_path / "out"), **options)
    batch = again(used, Output(tmp_path / "out", overwrite=True), **options)
    assert not batch.failed
    assert not (tmp_path / "out" / ".framewise.run").exists()


def test_notes_that_a_power_cut_tore_are_no_notes(paths: list[Path], tmp_path: Path) -> None:
    interrupted(paths, Output(tmp_path / "out")).close()
    notes = tmp_path / "out" / ".framewise.run"
    text = notes.read_text(encoding="utf-8")
    notes.write_text(text[:-20], encoding="utf-8")
    assert not again(paths, Output(tmp_path / "out")).failed


def test_one_file_is_gone_on_with_as_well(paths: list[Path], tmp_path: Path) -> None:
    out = Output(tmp_path / "means.csv")
    interrupted(paths, out).close()
    batch = again(paths, out)
    assert [path.name for path in batch.written] == ["means.csv", "means.recipe.json"]
    assert sorted(path.name for path in tmp_path.glob(".*")) == []
    with pytest.raises(ValueError, match="there already"):
        again(paths, out)
