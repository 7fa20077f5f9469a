"""Matrices that memory does not hold: on disk, where one asks for them, and gone on with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.cli.calling import CallCli
from tests.helpers import pairing

import napari_framewise as fw
from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.runs.batch import run_batch
from napari_framewise.io.runs.outputs import Output
from napari_framewise.tools import registry

N = 150


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> np.ndarray:
    monkeypatch.setitem(registry.TOOLS, "pairing", pairing.ENTRY)
    monkeypatch.chdir(tmp_path)
    frames = np.random.default_rng(3).normal(size=(N, 3, 4))
    np.save("film.npy", frames)
    means = frames.mean(axis=(1, 2))
    return means[:, None] - means


def opened(folder: str, name: str) -> np.ndarray:
    return fw.open_stack(f"{folder}/film-{name}.zarr").frame(0)


def test_a_folder_is_asked_for_on_the_command_line_and_written_to(
    call: CallCli, wanted: np.ndarray
) -> None:
    code, _, err = call("pairing", "film.npy")
    assert code == 2
    assert "choose a folder for the output" in err
    code, _, err = call("pairing", "film.npy", "-o", "out")
    assert code == 0, err
    np.testing.assert_allclose(opened("out", "distance"), np.abs(wanted), atol=1e-15)
    np.testing.assert_allclose(opened("out", "difference"), wanted, atol=1e-15)
    # Nothing is left of where it was made, and nothing was made twice.
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "film-difference.zarr", "film-distance.zarr", "film.recipe.json",
    ]  # fmt: skip
    assert call("run", "out/film.recipe.json", "-o", "again")[0] == 0
    np.testing.assert_array_equal(opened("again", "difference"), opened("out", "difference"))
    assert call("pairing", "film.npy", "-o", "tiff", "--image-format", "tif")[0] == 0
    tiff = fw.open_stack("tiff/film-difference.tif").frame(0)
    np.testing.assert_array_equal(tiff, opened("out", "difference"))


def test_it_is_reproduced_beside_the_recipe_and_nothing_of_it_stays(call: CallCli) -> None:
    code, _, err = call("pairing", "film.npy", "-o", "out", "--with-results")
    assert code == 0, err
    before = sorted(Path("out").iterdir())
    code, out, err = call("reproduce", "out/film.recipe.json")
    assert code == 0, err
    assert out.count("identical") >= 2
    assert sorted(Path("out").iterdir()) == before


def test_python_names_the_folder(wanted: np.ndarray) -> None:
    stack = fw.open_stack("film.npy")
    with pytest.raises(ValueError, match="give folder="):
        fw.run("pairing", stack=stack)
    outcome = fw.run("pairing", stack=stack, folder="here")
    (_, layer) = outcome.layers
    assert layer.folder == Path("here/difference.ome.zarr").absolute()
    np.testing.assert_allclose(layer.data, wanted, atol=1e-15)
    with pytest.raises(FileExistsError, match="already exists"):
        fw.run("pairing", stack=stack, folder="here")


def test_a_cluster_writes_the_same(cluster_engine: Engine, tmp_path: Path) -> None:
    frames = fw.stack_of(np.random.default_rng(3).normal(size=(N, 3, 4)))
    here = fw.run("pairing", stack=frames, folder=tmp_path / "here")
    there = fw.run("pairing", stack=frames, engine=cluster_engine, folder=tmp_path / "there")
    for one, other in zip(here.layers, there.layers, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_more_than_is_free_is_refused_before_it_begins(
    call: CallCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10**5})())
    code, _, err = call("pairing", "film.npy", "-o", "out")
    assert code == 2
    assert "takes up to 360 kB" in err
    assert "100 kB are free" in err
    assert not Path("out").exists()


def test_what_an_end_of_the_process_leaves_is_gone_on_with(call: CallCli) -> None:
    film = InputRef(path=str(Path("film.npy").absolute()))
    recipe = Recipe(steps=(Step(tool="pairing", inputs={"stack": (film,)}),))
    with Engine.local(1) as engine:
        run = run_batch(recipe, [], Output(Path("out")), engine)
        for report in run:
            if isinstance(report, Progress) and report.done:
                break
        run.close()
        left = {path.stat().st_ino for path in Path("out").rglob("0/c/*/*")}
        assert left
        again = run_batch(recipe, [], Output(Path("out")), engine)
        for _ in again:
            pass
    kept = {path.stat().st_ino for path in Path("out").rglob("0/c/*/*")}
    assert left <= kept
    assert not list(Path("out").rglob("*.partial"))
