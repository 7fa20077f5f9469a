from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.cli.calling import CallCli
from tests.helpers.recipes import write_frames

import napari_framewise as fw


def test_a_run_says_what_came_of_it(call: CallCli) -> None:
    write_frames(Path("s.npy"), n=2)
    code, out, _ = call("everything", "s.npy", "-o", "out", "--save-recipe", "mine.json")
    assert code == 0
    assert out.splitlines() == [
        "s.npy",
        "  2 frames; inputs [0, 0, 0, 0], points [].",
        "  note: Nothing was measured.",
        f"  wrote {Path('out', 's-means.csv')}",
        f"  wrote {Path('out', 's-totals.csv')}",
        f"  wrote {Path('out', 's-translation.npz')}",
        f"  wrote {Path('out', 's-doubled.zarr')}",
        f"  wrote {Path('out', 's-spots.points.csv')}",
        f"  wrote {Path('out', 's-flow.vectors.csv')}",
        f"  wrote {Path('out', 's-outlines.shapes.csv')}",
        "  not written: s hidden (--layers all writes them)",
        f"wrote {Path('out', 's.recipe.json')}",
    ]
    mine = json.loads(Path("mine.json").read_text())
    assert mine["steps"][0]["inputs"]["stack"] == [{"path": "s.npy", "name": "s"}]
    assert call("run", "mine.json", "-q") == (0, "", "")


def test_points_models_and_tables_are_read(call: CallCli) -> None:
    write_frames(Path("s.npy"), n=2)
    assert call("everything", "s.npy", "-o", "out", "-q")[0] == 0
    _, out, _ = call(
        *("everything", "s.npy", "--model", "out/s-translation.npz"),
        *("--points", "out/s-spots.points.csv", "--shapes", "out/s-outlines.shapes.csv"),
        *("--table", "out/s-means.csv"),
    )
    assert "inputs [1, 1, 1, 1], points [3]" in out


def test_several_inputs_are_run_one_after_the_other(call: CallCli) -> None:
    for name in ("x/s.npy", "y/s.npy"):
        write_frames(Path(name), n=2)
    code, out, err = call(
        "everything", "x/s.npy", "gone.npy", "y/s.npy", "-o", "out", "--layers", "none"
    )
    assert code == 1
    assert err.splitlines() == [
        f"napari-framewise: There is no file or folder {Path('gone.npy').absolute()}.",
        "napari-framewise: 1 of 3 inputs failed: gone.npy",
    ]
    table = fw.read_table("out/means.csv")
    files = [str(Path(name).absolute()) for name in ("x/s.npy", "y/s.npy")]
    assert list(dict.fromkeys(table["file"])) == files
    assert {"x-s-means.csv", "y-s-means.csv", "means.csv"} <= set(os.listdir("out"))
    assert f"wrote {Path('out', 'means.csv')}" in out


def test_progress_is_shown_in_a_terminal_only(
    call: CallCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_frames(Path("s.npy"))
    assert call("everything", "s.npy")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "[########################] 100%  Multiplying" in call("everything", "s.npy")[2]
    assert call("everything", "s.npy", "--quiet")[2] == ""


def test_a_recipe_is_reproduced(call: CallCli) -> None:
    np.save("film.npy", np.random.default_rng(0).normal(size=(4, 6, 5)))
    code, _, err = call("everything", "film.npy", "-o", "out", "--with-results")
    assert (code, err) == (0, "")
    code, out, err = call("reproduce", "out/film.recipe.json", "-o", "comparison.csv")
    assert (code, err) == (0, "")
    assert "step 1, table means: mean: identical\n" in out
    assert "identical.\n" in out
    assert Path("comparison.csv").read_text().startswith("step,result,verdict,difference,largest\n")
    np.save("film.npy", np.random.default_rng(1).normal(size=(4, 6, 5)))
    code, out, _ = call("reproduce", "out/film.recipe.json", "--quiet")
    assert code == 1
    assert "The input has changed since: 1, stack, 1." in out
    code, _, err = call("everything", "film.npy", "--with-results")
    assert code == 2
    assert "--with-results was given without --output" in err
