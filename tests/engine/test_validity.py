"""What is written as OME-Zarr is what the specification says, by a validator of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaozarrs
from tests.engine.conftest import Drain

from napari_framewise.engine import Engine
from napari_framewise.engine.results import write_frames
from napari_framewise.io.formats.writing import write_image
from napari_framewise.stacks.stack import stack_of

AXES = {
    "a movie": (("t", "y", "x"), ("second", "micrometer", "micrometer")),
    "a movie with channels first": (("c", "t", "y", "x"), ("", "second", "nanometer", "nanometer")),
    "channels in between": (("t", "c", "y", "x"), ("minute", "", "pixel", "pixel")),
    "volumes over time": (
        ("t", "z", "y", "x"),
        ("second", "micrometer", "micrometer", "micrometer"),
    ),
    "an image": (("y", "x"), ("pixel", "pixel")),
    "axes that nobody named": (("axis 0", "axis 1", "y", "x"), ("", "", "pixel", "pixel")),
}


@pytest.mark.parametrize("case", AXES)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_whole_results_are_valid(case: str, dtype: str, tmp_path: Path, drain: Drain) -> None:
    names, units = AXES[case]
    shape = (3, 2, 12, 10)[-len(names) :]
    data = np.random.default_rng(0).integers(0, 99, shape).astype(dtype)
    stack = stack_of(data, axes=names, scale=[0.5] * len(names), units=units)
    path = tmp_path / "a.ome.zarr"
    drain(write_frames(stack, path, engine=Engine.local()))
    yaozarrs.validate_zarr_store(str(path))


@pytest.mark.parametrize("case", AXES)
def test_images_that_are_saved_are_valid(case: str, tmp_path: Path, drain: Drain) -> None:
    names, units = AXES[case]
    shape = (3, 2, 12, 10)[-len(names) :]
    path = tmp_path / "a.ome.zarr"
    stack = stack_of(np.zeros(shape, "uint8"), axes=names, units=units)
    drain(write_image(stack, path, engine=Engine.local()))
    yaozarrs.validate_zarr_store(str(path))


def test_what_is_no_image_is_not_called_valid(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    with pytest.raises(Exception, match=r"\w"):
        yaozarrs.validate_zarr_store(str(tmp_path / "a.zarr"))
