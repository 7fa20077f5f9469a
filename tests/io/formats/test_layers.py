"""What a napari layer is made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from napari_framewise.io import contrast_limits, layer_data, open_stack
from napari_framewise.stacks.sources.view import SourceView
from napari_framewise.stacks.stack import stack_of

FRAMES = np.random.default_rng(8).integers(100, 4000, (40, 16, 12)).astype(np.uint16)


def test_mapped_files_serve_directly(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    data, options = layer_data(open_stack(tmp_path / "a.npy"))
    assert type(data) is np.ndarray
    assert not data.flags.owndata
    assert options["axis_labels"] == ["axis 0", "y", "x"]
    np.testing.assert_array_equal(data, FRAMES)


def test_other_files_are_looked_at_lazily(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        FRAMES,
        imagej=True,
        byteorder=">",
        resolution=(4, 5),
        metadata={"axes": "TYX", "unit": "um", "finterval": 0.5},
    )
    data, options = layer_data(open_stack(tmp_path / "a.tif"))
    assert isinstance(data, SourceView)
    assert data.dtype.isnative
    np.testing.assert_array_equal(data[7], FRAMES[7])
    low, high = options.pop("contrast_limits")
    assert FRAMES.min() <= low < high <= FRAMES.max()
    assert options == {
        "name": "a.tif",
        "scale": [0.5, 0.2, 0.25],
        "translate": [0.0, 0.0, 0.0],
        "units": ["second", "micrometer", "micrometer"],
        "axis_labels": ["t", "y", "x"],
        "rgb": False,
    }


def test_a_layer_of_colour_has_no_axis_for_it(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / "a.png")
    data, options = layer_data(open_stack(tmp_path / "a.png"))
    assert data.shape == (40, 50, 3)
    assert options["rgb"] is True
    assert options["axis_labels"] == ["y", "x"]
    assert options["contrast_limits"] == (0.0, 255.0)


def test_arrays_stay_what_they_are() -> None:
    data, _ = layer_data(stack_of(FRAMES))
    assert data is FRAMES


@pytest.mark.parametrize(
    ("frames", "limits"),
    [
        (np.full((3, 4, 5), 7, np.uint8), (7.0, 8.0)),
        (np.full((3, 4, 5), np.nan), (0.0, 1.0)),
        (np.array([[[np.nan, -2.0], [np.inf, 6.0]]]), (-2.0, 6.0)),
        (np.arange(24).reshape(6, 2, 2), (0.0, 23.0)),
        (np.array([[[True, False]]]), (0.0, 1.0)),
    ],
)
def test_contrast_limits(frames: np.ndarray, limits: tuple[float, float]) -> None:
    assert contrast_limits(stack_of(frames)) == limits


def test_contrast_limits_read_a_few_frames_only(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path / "a.zarr", data=FRAMES, chunks=(1, 16, 12))
    for chunk in (tmp_path / "a.zarr" / "c").iterdir():
        if int(chunk.name) not in (0, 9, 19, 29, 39):
            next(p for p in chunk.rglob("*") if p.is_file()).write_bytes(b"rubbish")
    sampled = FRAMES[[0, 9, 19, 29, 39]]
    limits = contrast_limits(open_stack(tmp_path / "a.zarr"))
    assert limits == (sampled.min(), sampled.max())
    assert array.shape == FRAMES.shape


def test_a_layer_takes_it(tmp_path: Path) -> None:
    from napari.components import ViewerModel

    for number in range(5):
        tifffile.imwrite(tmp_path / f"img{number}.tif", FRAMES[number])
    viewer = ViewerModel()
    data, options = layer_data(open_stack(tmp_path))
    layer = viewer.add_image(data, **options)
    viewer.dims.set_point(0, 3)
    np.testing.assert_array_equal(layer._slice.image.raw, FRAMES[3])
    assert layer.axis_labels == ("file", "y", "x")
