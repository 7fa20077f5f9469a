"""Filters on a cluster of two processes: the same bits as here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy import ndimage
from tests.helpers import filters, median

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.engine.results import write_frames
from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.tool import Tool
from napari_framewise.io import open_stack
from napari_framewise.stacks.stack import stack_of

DATA = np.random.default_rng(2).integers(0, 60_000, (3, 300, 50), np.uint16)
WANTED = ndimage.median_filter(DATA, (1, 5, 5))


def ran(tool: Tool, engine: Engine, given: dict[str, object], **parameters: object) -> Outcome:
    inputs, chosen = tool.check_inputs(given), tool.check_parameters(parameters)
    return finish(tool.run(inputs, chosen, engine), lambda _: None)


@pytest.mark.parametrize("place", ["file", "memory"])
@pytest.mark.parametrize("budget", [2**18, 96 * 2**20])
def test_bands_come_back_with_the_same_bits(
    cluster_engine: Engine, tmp_path: Path, place: str, budget: int
) -> None:
    np.save(tmp_path / "a.npy", DATA)
    stack = open_stack(tmp_path / "a.npy") if place == "file" else stack_of(DATA)
    engine = Engine(cluster_engine.executor, budget)
    outcome = ran(median.TOOL, engine, {"stack": stack}, size=5, result="memory")
    np.testing.assert_array_equal(np.asarray(outcome.layer().data), WANTED)


def test_several_images_and_rows_come_back(cluster_engine: Engine) -> None:
    given = {"stack": stack_of(DATA), "mask": stack_of((DATA[0] > 30_000).astype(np.uint8))}
    there = ran(filters.LOCAL, cluster_engine, given, result="memory")
    here = ran(filters.LOCAL, Engine.local(2), given, result="memory")
    for one, two in zip(there.layers, here.layers, strict=True):
        np.testing.assert_array_equal(np.asarray(one.data), np.asarray(two.data))
    np.testing.assert_array_equal(there.table().columns["used"], here.table().columns["used"])


@pytest.mark.parametrize("tool", [filters.LOCAL_ROWS, filters.SHRINK_ROWS])
def test_rows_vectors_and_another_grid_come_back_in_bands(
    cluster_engine: Engine, tool: Tool
) -> None:
    given = {"stack": stack_of(DATA)}
    there, here = (
        ran(tool, Engine(engine.executor, 2**17), given, result="memory")
        for engine in (cluster_engine, Engine.local(2))
    )
    for one, two in zip(there.layers, here.layers, strict=True):
        np.testing.assert_array_equal(np.asarray(one.data), np.asarray(two.data))
    for one, two in zip(there.tables, here.tables, strict=True):
        np.testing.assert_array_equal(one.columns["used"], two.columns["used"])


def test_lazy_bands_are_written_by_the_workers(cluster_engine: Engine, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", DATA)
    engine = Engine(cluster_engine.executor, 2**18)
    stack = open_stack(tmp_path / "a.npy")
    layer = ran(median.TOOL, engine, {"stack": stack}, size=5).layer()
    assert isinstance(layer, ImageResult)
    path = tmp_path / "out.ome.zarr"
    finish(write_frames(layer.data, path, engine=engine, axes=layer.grid.axes), lambda _: None)
    found = zarr.open_array(str(path), path="0", mode="r")[...]
    np.testing.assert_array_equal(found, WANTED)
