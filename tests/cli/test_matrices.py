"""Transforms of other programs on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage
from tests.cli.calling import CallCli

import napari_framewise as fw


def test_transforms_go_out_and_come_in(call: CallCli) -> None:
    rng = np.random.default_rng(2)
    wide = ndimage.gaussian_filter(rng.normal(size=(80, 90)), 2) * 100
    np.save("film.npy", np.stack([wide[9 - k : 69 - k, 8 + k : 80 + k] for k in range(3)]))
    asked = ("--motion", "translation", "--to", "frame")
    found = []
    for name in ("steps.txt", "tmats.npy"):
        code, _, err = call("alignment", "film.npy", *asked, "-o", name)
        assert (code, err) == (0, "")
        code, _, err = call("alignment", "film.npy", "--transforms", name, "-o", f"{name}.csv")
        assert (code, err) == (0, "")
        found.append(fw.read_table(f"{name}.csv"))
    for table in found:
        np.testing.assert_allclose(table["row"], [0, 1, 2], atol=0.02)
        np.testing.assert_allclose(table["column"], [0, -1, -2], atol=0.02)
    assert "Source img: 2 Target img: 1" in Path("steps.txt").read_text()


def test_a_model_of_another_kind_is_not_written_as_matrices(call: CallCli) -> None:
    np.save("film.npy", np.random.default_rng(0).normal(size=(3, 12, 14)))
    code, _, err = call("normalise", "film.npy", "-o", "gains.txt")
    assert code == 2
    assert "normalisation model does not have (.txt)" in err
    assert not Path("gains.txt").exists()
