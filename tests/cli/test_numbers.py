from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.cli.calling import REFERENCES, CallCli
from tests.helpers.recipes import write_frames

import napari_framewise as fw
from napari_framewise.stacks.source import Array


def test_python_command_line_and_recipe_give_the_same_numbers(
    call: CallCli, mixture: tuple[Array, Array]
) -> None:
    frames, shares = mixture
    images = [tifffile.imread(name) for name in ("a.tif", "b.tif")]
    outcome = fw.run("mixing", stack=frames, references=images, errors="classical", offset=True)
    expected = outcome.table("mixing").columns
    np.testing.assert_allclose(expected["x1"], shares, atol=0.02)

    options = ("--errors", "classical", "--offset")
    code, out, err = call("mixing", "s.npy", *REFERENCES, *options, "-o", "out")
    assert (code, err) == (0, "")
    assert out.startswith("s.npy\n  x1 (")
    assert f"wrote {Path('out', 's-mixing.csv')}\n" in out

    assert call("run", "out/s.recipe.json", "-o", "again.csv", "-q") == (0, "", "")
    batch = fw.run_recipe("again.recipe.json")
    by_recipe = batch.table("mixing").columns
    for path in ("out/s-mixing.csv", "again.csv"):
        table = fw.read_table(path)
        assert list(table) == list(expected)
        for name in expected:
            np.testing.assert_array_equal(table[name], expected[name])
    for name in expected:
        np.testing.assert_array_equal(by_recipe[name], expected[name])


def test_a_cluster_gives_the_same_numbers(call: CallCli, mixture: tuple[Array, Array]) -> None:
    distributed = pytest.importorskip("distributed")
    assert call("mixing", "s.npy", *REFERENCES, "-o", "here.csv", "-q")[0] == 0
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        there = ("--cluster", cluster.scheduler_address, "-o", "there.csv", "-q")
        assert call("mixing", "s.npy", *REFERENCES, *there) == (0, "", "")
    assert Path("here.csv").read_bytes() == Path("there.csv").read_bytes()


def test_vectors_tables_and_models_are_written(call: CallCli) -> None:
    reference = write_frames(Path("r.npy"), n=3, shape=(16, 16))
    np.save("s.npy", np.roll(reference, (2, -3), (1, 2)))
    assert call("shifts", "s.npy", "--reference", "r.npy", "-o", "out", "-q") == (0, "", "")
    assert {path.name for path in Path("out").iterdir()} == {
        "s-Shifts.csv",
        "s-shifts.vectors.csv",
        "s-translation.npz",
        "s.recipe.json",
    }
    np.testing.assert_array_equal(fw.read_table("out/s-Shifts.csv")["rows"], [2, 2, 2])
