from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_framewise.framework.outcome import Outcome, ShapesResult
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.mixing import TOOL

SHAPE = (24, 20)


@pytest.fixture(scope="module")
def references() -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.stack([2000 + 1500 * np.sin(x / 3), 1500 + 900 * np.cos(y / 4)])


@pytest.fixture(scope="module")
def frames(references: np.ndarray) -> np.ndarray:
    """The upper half is another mixture than the lower one."""
    rng = np.random.default_rng(7)
    share = np.where(np.arange(SHAPE[0]) < 12, 0.3, 0.8)[:, None]
    clean = share * references[0] + (1 - share) * references[1]
    return np.rint(clean + rng.normal(0, 20, (30, *SHAPE))).astype(np.uint16)


def drawn() -> ShapesResult:
    shapes = [[[1, 1], [1, 18], [9, 18], [9, 1]], [[14, 2], [14, 17], [22, 17], [22, 2]]]
    grid = Grid((Axis("y"), Axis("x")))
    data = [np.array(each, np.float64) for each in shapes]
    return ShapesResult("rois", data, grid, ("rectangle", "ellipse"))


def insides() -> list[np.ndarray]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)
    return [
        (y >= 1) & (y <= 9) & (x >= 1) & (x <= 18),
        ((y - 18) / 4) ** 2 + ((x - 9.5) / 7.5) ** 2 <= 1 + 1e-12,
    ]


def fitted(frames: Any, references: np.ndarray, **given: Any) -> Outcome:
    return run("mixing", stack=frames, references=list(references), **given)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"constraint": "fully_constrained", "offset": True},
        {"detector_gain": 1.0, "poisson_weights": True, "errors": "classical"},
        {"loss": "huber", "mean_residual": False},
    ],
)
def test_a_region_is_what_its_mask_gives(
    frames: np.ndarray, references: np.ndarray, options: dict[str, Any]
) -> None:
    outcome = fitted(frames, references, regions=drawn(), **options)
    columns = outcome.table("regions").columns
    for number, inside in enumerate(insides(), 1):
        alone = fitted(frames, references, mask=inside.astype(np.uint8), **options)
        for name, values in alone.table("mixing").columns.items():
            if name != "frame":
                found = columns[f"{name}_{number}"]
                np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-12, err_msg=name)
    plain = fitted(frames, references, **options)
    # frames of a robust fit are solved by blocks, whose size the regions change
    close = 1e-8 if "loss" in options else 0
    for name, values in plain.table("mixing").columns.items():
        found = outcome.table("mixing").columns[name]
        np.testing.assert_allclose(found, values, rtol=close, err_msg=name)
    if not options:
        assert columns["x1_1"].mean() == pytest.approx(0.3, abs=0.005)
        assert columns["x1_2"].mean() == pytest.approx(0.8, abs=0.005)
        assert "region 1: x1 0.3" in outcome.summary
        assert outcome.plots[1].table == "regions"


def test_masks_dark_and_missing_pixels_hold_within_a_region(
    frames: np.ndarray, references: np.ndarray
) -> None:
    rng = np.random.default_rng(3)
    broken = frames.astype(np.float64)
    broken[4, 3, 3], broken[9] = np.nan, np.nan
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:11, 2:15] = 6
    dark = rng.uniform(0, 100, SHAPE)
    mask = rng.random((30, *SHAPE)) < 0.8
    outcome = fitted(broken, references, regions=labels, mask=mask, dark=dark)
    both = mask & (labels == 6)
    alone = fitted(broken, references, mask=both, dark=dark).table("mixing").columns
    columns = outcome.table("regions").columns
    for name in ("x1", "x1_error", "rss", "n_pixels"):
        np.testing.assert_allclose(columns[f"{name}_6"], alone[name], rtol=1e-9, err_msg=name)


def test_what_a_region_cannot_tell_is_said(frames: np.ndarray, references: np.ndarray) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:11, 2:15], labels[20, 10] = 1, 2
    flat = references.copy()
    flat[:, 15:] = 1000.0
    labels[17:19, 2:8] = 3
    outcome = fitted(frames, flat, regions=labels)
    assert "x1_1" in outcome.table("regions").columns
    assert not any(name.endswith("_3") for name in outcome.table("regions").columns)
    assert any(said.startswith("Region 3 was left out: ") for said in outcome.diagnostics)
    with pytest.raises(ValueError, match="Region 3 was left out"):
        fitted(frames, flat, regions=np.where(labels == 3, labels, 0))


def test_the_preview_is_the_run_s_row(frames: np.ndarray, references: np.ndarray) -> None:
    given = {
        "stack": stack_of(frames),
        "references": [stack_of(each) for each in references],
        "regions": drawn(),
    }
    said = TOOL.preview(TOOL.check_inputs(given), TOOL.check_parameters({}), 5).summary
    columns = fitted(frames, references, regions=drawn()).table("regions").columns
    assert f"region 1: x1 {columns['x1_1'][5]:.4g}" in said
