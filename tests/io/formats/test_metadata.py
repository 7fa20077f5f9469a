"""Names, scale, position and units of axes, as other libraries write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from napari_framewise.io import open_stack
from napari_framewise.stacks.units import scaled, unit_name

FRAMES = np.arange(3 * 4 * 16 * 12, dtype=np.uint16).reshape(3, 4, 16, 12)


def axes(path: Path, **options: Any) -> list[tuple[str, float, float, str]]:
    return [
        (axis.name, pytest.approx(axis.scale), pytest.approx(axis.translate), axis.unit)
        for axis in open_stack(path, **options).axes
    ]


def plain(*names: str) -> list[tuple[str, float, float, str]]:
    return [(name, 1.0, 0.0, "pixel") for name in names]


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m"])
def test_imagej(tmp_path: Path, unit: str) -> None:
    metadata = {"axes": "TZYX", "unit": unit, "spacing": 2.5, "finterval": 0.25}
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, imagej=True, resolution=(5, 4), metadata=metadata)
    assert axes(tmp_path / "a.tif") == [
        ("t", 0.25, 0.0, "second"),
        ("z", 2.5, 0.0, "micrometer"),
        ("y", 0.25, 0.0, "micrometer"),
        ("x", 0.2, 0.0, "micrometer"),
    ]
    assert open_stack(tmp_path / "a.tif").frame_shape == (4, 16, 12)


def test_imagej_without_units(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, imagej=True, metadata={"axes": "TCYX"})
    assert axes(tmp_path / "a.tif") == plain("t", "c", "y", "x")


def test_ome_tiff(tmp_path: Path) -> None:
    metadata = {
        "axes": "TCYX",
        "PhysicalSizeX": 108.3,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.2,
        "TimeIncrement": 40.0,
        "TimeIncrementUnit": "ms",
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", FRAMES, metadata=metadata)
    assert axes(tmp_path / "a.ome.tif") == [
        ("t", 40.0, 0.0, "millisecond"),
        ("c", 1.0, 0.0, "pixel"),
        ("y", 0.2, 0.0, "micrometer"),
        ("x", 108.3, 0.0, "nanometer"),
    ]


def test_ome_tiff_by_series(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as file:
        for size in (0.1, 0.4):
            metadata = {"axes": "TYX", "PhysicalSizeX": size, "PhysicalSizeY": size}
            step = round(size * 10)
            frames = FRAMES[0, :, ::step, ::step]
            file.write(frames, metadata=metadata, photometric="minisblack")
    for key, size in (("0", 0.1), ("1", 0.4)):
        assert axes(tmp_path / "a.ome.tif", key=key)[1:] == [
            ("y", size, 0.0, "micrometer"),
            ("x", size, 0.0, "micrometer"),
        ]


@pytest.mark.parametrize(("unit", "believed"), [("CENTIMETER", True), ("INCH", False)])
def test_resolution_tags_are_believed_in_centimetres(
    tmp_path: Path, unit: str, believed: bool
) -> None:
    resolution = {"resolution": (10_000, 5_000), "resolutionunit": unit}
    tifffile.imwrite(tmp_path / "a.tif", FRAMES[0, 0], **resolution)
    expected = [("y", 2.0, 0.0, "micrometer"), ("x", 1.0, 0.0, "micrometer")]
    assert axes(tmp_path / "a.tif") == (expected if believed else plain("y", "x"))


@pytest.mark.parametrize(
    ("dots", "believed"), [(28.35, False), (37.8, False), (118.11, False), (100, True), (400, True)]
)
def test_a_printers_resolution_is_no_scale(tmp_path: Path, dots: float, believed: bool) -> None:
    resolution = {"resolution": (dots, dots), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "a.tif", FRAMES[0, 0], **resolution)
    step = pytest.approx(1e4 / dots)
    expected = [("y", step, 0.0, "micrometer"), ("x", step, 0.0, "micrometer")]
    assert axes(tmp_path / "a.tif") == (expected if believed else plain("y", "x"))


@pytest.mark.parametrize(("unit", "inches"), [("li", 1 / 12), ("pt", 1 / 72)])
def test_the_lengths_of_ome_that_only_printers_use(
    tmp_path: Path, unit: str, inches: float
) -> None:
    size = {"PhysicalSizeX": 3.0, "PhysicalSizeXUnit": unit, "PhysicalSizeY": 0.0}
    metadata = {"axes": "YX", "PhysicalSizeYUnit": unit, **size}
    tifffile.imwrite(tmp_path / "a.ome.tif", FRAMES[0, 0], metadata=metadata)
    assert axes(tmp_path / "a.ome.tif") == [
        *plain("y"),
        ("x", pytest.approx(3 * inches), 0.0, "inch"),
    ]


def test_tifffile_names_its_axes(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", FRAMES, metadata={"axes": "QZYX"}, photometric="minisblack"
    )
    assert axes(tmp_path / "a.tif") == plain("page", "z", "y", "x")
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, photometric="minisblack")
    assert axes(tmp_path / "a.tif") == plain("page", "page 1", "y", "x")


def test_hdf5_labels_and_scales(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("x", data=FRAMES)
        for dimension, name in zip(dataset.dims, ("time", "depth", "", "x"), strict=True):
            dimension.label = name
        for place, values, unit in (
            (0, 10 + 0.5 * np.arange(3), "ms"),
            (1, np.array([0.0, 1.0, 4.0, 9.0]), "um"),
            (3, 0.25 * np.arange(12), "mm"),
        ):
            scale = file.create_dataset(f"scale {place}", data=values)
            scale.attrs["units"] = unit
            scale.make_scale()
            dataset.dims[place].attach_scale(scale)
    assert axes(tmp_path / "a.h5") == [
        ("time", 0.5, 10.0, "millisecond"),
        ("depth", 1.0, 0.0, "pixel"),
        ("y", 1.0, 0.0, "pixel"),
        ("x", 0.25, 0.0, "millimeter"),
    ]


def test_hdf5_element_size(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = FRAMES
        file["x"].attrs["element_size_um"] = [2.0, 0.5, 0.25]
    assert axes(tmp_path / "a.h5") == [
        ("axis 0", 1.0, 0.0, "pixel"),
        ("axis 1", 2.0, 0.0, "micrometer"),
        ("y", 0.5, 0.0, "micrometer"),
        ("x", 0.25, 0.0, "micrometer"),
    ]


def ome_zarr(path: Path, version: str) -> zarr.Group:
    image = {
        "axes": [
            {"name": "t", "type": "time", "unit": "second"},
            {"name": "c", "type": "channel"},
            {"name": "y", "type": "space", "unit": "micrometer"},
            {"name": "x", "type": "space", "unit": "micrometer"},
        ],
        "datasets": [
            {
                "path": f"s{level}",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0, 1.0, 0.2 * 2**level, 0.1 * 2**level]},
                    {"type": "translation", "translation": [0.0, 0.0, 5.0, 6.0]},
                ],
            }
            for level in (0, 1)
        ],
        "coordinateTransformations": [{"type": "scale", "scale": [0.5, 1.0, 2.0, 1.0]}],
    }
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    if version == "0.4":
        group.attrs["multiscales"] = [{"version": version, **image}]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [image]}
    group.create_array("s0", data=FRAMES)
    group.create_array("s1", data=FRAMES[..., ::2, ::2])
    return group


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path: Path, version: str) -> None:
    ome_zarr(tmp_path / "a.ome.zarr", version)
    assert axes(tmp_path / "a.ome.zarr") == [
        ("t", 0.5, 0.0, "second"),
        ("c", 1.0, 0.0, "pixel"),
        ("y", 0.4, 10.0, "micrometer"),
        ("x", 0.1, 6.0, "micrometer"),
    ]
    stack = open_stack(tmp_path / "a.ome.zarr")
    np.testing.assert_array_equal(stack.read(0, 3), np.moveaxis(FRAMES, 1, -1))
    assert axes(tmp_path / "a.ome.zarr", key="s1")[2:] == [
        ("y", 0.8, 10.0, "micrometer"),
        ("x", 0.2, 6.0, "micrometer"),
    ]
    assert open_stack(tmp_path / "a.ome.zarr", key="s1").frame_shape == (8, 6, 4)


def test_an_image_inside_a_hierarchy(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "plate.zarr", mode="w", zarr_format=2)
    ome_zarr(tmp_path / "plate.zarr" / "A" / "1" / "0", "0.4")
    assert axes(tmp_path / "plate.zarr", key="A/1/0")[0] == ("t", 0.5, 0.0, "second")


def test_names_of_plain_zarr(tmp_path: Path) -> None:
    names = ["time", "level", "lat", "lon"]
    zarr.create_array(tmp_path / "a.zarr", data=FRAMES, dimension_names=names)
    assert axes(tmp_path / "a.zarr") == plain(*names)
    array = zarr.create_array(tmp_path / "b.zarr", data=FRAMES, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = names
    assert axes(tmp_path / "b.zarr") == plain(*names)
    zarr.create_array(tmp_path / "c.zarr", data=FRAMES)
    assert axes(tmp_path / "c.zarr") == plain("axis 0", "axis 1", "y", "x")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("um", "micrometer"),
        ("µm", "micrometer"),
        ("μm", "micrometer"),
        (" Micron ", "micrometer"),
        ("nm", "nanometer"),
        ("MM", "millimeter"),
        ("sec", "second"),
        ("micrometer", "micrometer"),
        ("furlong", None),
        ("K", "kelvin"),
        ("mV", "millivolt"),
        ("arcsec", "arcsecond"),
        ("weeks", "week"),
        ("counts", None),
        ("px", None),
        ("", None),
        (None, None),
    ],
)
def test_units(written: str | None, name: str | None) -> None:
    assert unit_name(written) == name


def test_every_unit_is_one_that_napari_knows() -> None:
    import pint

    from napari_framewise.stacks import units

    registry = pint.UnitRegistry()
    for name in {*units._KNOWN, *units.SYMBOLS, *units.SECONDS, *units.CENTIMETRES}:
        assert str(registry.Unit(name)) == name
        assert unit_name(name) == name
    for name, factor in units.SECONDS.items():
        assert registry.Quantity(1, name).to("second").magnitude == pytest.approx(factor)
    for name, factor in units.CENTIMETRES.items():
        assert registry.Quantity(1, name).to("centimeter").magnitude == pytest.approx(factor)
    for name, symbol in units.SYMBOLS.items():
        assert unit_name(symbol) == name


@pytest.mark.parametrize("size", [0, float("nan"), float("inf"), None, "wide"])
def test_a_size_that_makes_no_sense_is_a_pixel(size: object) -> None:
    assert scaled(size, "um") == (1.0, "pixel")
