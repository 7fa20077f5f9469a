"""A plain filter on the command line, and its recipe run again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from tests.cli.calling import CallCli
from tests.helpers import median

from napari_framewise.io import open_stack
from napari_framewise.tools import registry


@pytest.fixture(autouse=True)
def _median(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TOOLS, "median", median.ENTRY)


def test_a_filter_and_its_recipe_give_what_scipy_gives(call: CallCli) -> None:
    frames = np.random.default_rng(0).integers(0, 999, (4, 2, 30, 20), np.uint16)
    np.save("s.npy", frames)
    code, _, said = call("median", "s.npy", "-o", "out", "--size", "5")
    assert code == 0, said
    wanted = ndimage.median_filter(frames, (1, 1, 5, 5))
    (made,) = Path("out").glob("*.zarr")
    stack = open_stack(made)
    np.testing.assert_array_equal(stack.source.read((slice(None),) * 4), wanted)
    (recipe,) = Path("out").glob("*.json")
    code, _, said = call("run", recipe, "-o", "again")
    assert code == 0, said
    (again,) = Path("again").rglob("*.zarr")
    np.testing.assert_array_equal(open_stack(again).source.read((slice(None),) * 4), wanted)


def test_a_value_that_stands_for_missing_pixels_is_an_option(call: CallCli) -> None:
    frames = np.random.default_rng(0).integers(1, 9, (4, 30, 20)).astype(np.int16)
    wanted = frames[:, :10].mean(axis=(1, 2))
    frames[:, 10:] = -9999
    np.save("s.npy", frames)
    code, said, wrong = call("statistics", "s.npy", "--no-data", "-9999", "-o", "out")
    assert code == 0, wrong
    assert "-9999" not in said
    assert call("run", "out/s.recipe.json", "-o", "again")[0] == 0
    for folder in ("out", "again"):
        (table,) = Path(folder).glob("*images.csv")
        means = pd.read_csv(table)["mean"]
        np.testing.assert_allclose(means, wanted, rtol=1e-6)
