"""What files say of their axes, parts and colours: nothing lost, nothing made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import zarr
from PIL import Image

from napari_framewise.io import open_stack
from napari_framewise.stacks.sources import pictures
from napari_framewise.stacks.units import unit_name

FRAMES = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5)


def named(path: Path) -> list[str]:
    return [axis.name for axis in open_stack(path).axes]


def test_axistags_of_ilastik(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("exported_data", data=np.zeros((5, 20, 30, 1), np.float32))
        tags = [{"key": key, "typeFlags": 2, "resolution": 0, "description": ""} for key in "tyxc"]
        dataset.attrs["axistags"] = json.dumps({"axes": tags})
    stack = open_stack(tmp_path / "a.h5")
    assert [axis.name for axis in stack.axes] == ["t", "y", "x", "c"]
    assert (stack.n_frames, stack.frame_shape) == (5, (20, 30, 1))
    assert stack.remarks == ()
    assert not stack.rgb


def test_scales_of_hyperspy(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.hspy", "w") as file:
        group = file.create_group("Experiments/cells")
        group["data"] = FRAMES
        for number, (name, unit, step) in enumerate(
            [("time", "min", 2.0), ("y", "pm", 5.0), ("x", "<undefined>", 3.0)]
        ):
            axis = group.create_group(f"axis-{number}")
            axis.attrs.update({"name": name, "units": unit, "scale": step, "offset": 1.0})
    axes = open_stack(tmp_path / "a.hspy").axes
    assert [(axis.name, axis.scale, axis.translate, axis.unit) for axis in axes] == [
        ("time", 2.0, 1.0, "minute"),
        ("y", 5.0, 1.0, "picometer"),
        ("x", 1.0, 0.0, "pixel"),
    ]


def test_imaris_is_one_stack_without_its_padding(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.ims", "w") as file:
        for time, channel in [(0, 0), (0, 1), (1, 0)]:
            place = f"DataSet/ResolutionLevel 0/TimePoint {time}/Channel {channel}"
            group = file.create_group(place)
            group["Data"] = np.full((4, 8, 8), 10 * time + channel, np.uint8)
            for side, size in zip("ZYX", (3, 6, 5), strict=True):
                group.attrs[f"ImageSize{side}"] = np.array(list(str(size)), "S1")
        image = file.create_group("DataSetInfo/Image").attrs
        for number, size in enumerate((10.0, 12.0, 6.0)):
            image[f"ExtMin{number}"] = np.array(list("0"), "S1")
            image[f"ExtMax{number}"] = np.array(list(str(size)), "S1")
        image["Unit"] = np.array(list("um"), "S1")
    stack = open_stack(tmp_path / "a.ims")
    assert stack.source.shape == (2, 2, 3, 6, 5)
    assert [axis.scale for axis in stack.axes] == [1.0, 1.0, 2.0, 2.0, 2.0]
    assert "time 1, channel 1" in stack.account
    assert np.isnan(stack.frame(1)[..., 1]).all()
    assert (stack.frame(1)[..., 0] == 10).all()


def master(path: Path, count: int) -> None:
    with h5py.File(path, "w") as file:
        for number in range(1, count + 1):
            name = f"data_{number}.h5"
            file[f"entry/data/data_{number:06}"] = h5py.ExternalLink(name, "/entry/data/data")


def part(path: Path, frames: Any) -> None:
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = frames


def test_a_master_opens_as_what_it_links_to(tmp_path: Path) -> None:
    part(tmp_path / "data_1.h5", FRAMES)
    master(tmp_path / "one.h5", 1)
    np.testing.assert_array_equal(open_stack(tmp_path / "one.h5").read(0, 4), FRAMES)
    part(tmp_path / "data_3.h5", FRAMES[:2] + 500)
    master(tmp_path / "three.h5", 3)
    stack = open_stack(tmp_path / "three.h5")
    assert stack.n_frames == 10
    np.testing.assert_array_equal(stack.read(0, 4), FRAMES)
    assert np.isnan(stack.read(4, 8)).all()
    np.testing.assert_array_equal(stack.read(8, 10), FRAMES[:2] + 500)
    assert "data_2.h5" in stack.account


def test_what_a_virtual_dataset_misses_is_no_data(tmp_path: Path) -> None:
    part(tmp_path / "data_1.h5", FRAMES)
    layout = h5py.VirtualLayout((8, 6, 5), "u2")
    layout[::2] = h5py.VirtualSource("data_1.h5", "entry/data/data", (4, 6, 5))
    layout[1::2] = h5py.VirtualSource("data_2.h5", "entry/data/data", (4, 6, 5))
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.create_virtual_dataset("x", layout, fillvalue=7)
    stack = open_stack(tmp_path / "a.h5")
    np.testing.assert_array_equal(stack.read(0, 8)[::2], FRAMES)
    assert np.isnan(stack.read(0, 8)[1::2]).all()
    assert "data_2.h5" in stack.account


def test_missing_files_of_an_ome_tiff_are_no_data(tmp_path: Path) -> None:
    planes = "".join(
        f'<TiffData FirstT="{number}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:{name}'
        "</UUID></TiffData>"
        for number, name in enumerate(["a.ome.tif", "b.ome.tif", "c.ome.tif"])
    )
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:{uuid}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        'Type="uint16" SizeX="5" SizeY="6" SizeZ="1" SizeC="1" SizeT="3" PhysicalSizeX="3" '
        f'PhysicalSizeXUnit="nm" PhysicalSizeYUnit="pixel">{planes}</Pixels></Image></OME>'
    )
    for name, frame in (("a.ome.tif", FRAMES[0]), ("c.ome.tif", FRAMES[2])):
        text = xml.replace("{uuid}", name)
        tifffile.imwrite(tmp_path / name, frame, description=text, metadata=None)
    stack = open_stack(tmp_path / "a.ome.tif")
    assert stack.dtype == np.float32
    np.testing.assert_array_equal(stack.frame(0), FRAMES[0])
    assert np.isnan(stack.frame(1)).all()
    np.testing.assert_array_equal(stack.frame(2), FRAMES[2])
    assert "b.ome.tif" in stack.account
    assert [axis.unit for axis in stack.axes] == ["pixel", "pixel", "nanometer"]


def test_imagej_planes_that_are_not_there_are_said(tmp_path: Path) -> None:
    header = "ImageJ=1.54f\nimages=40\nslices=10\nframes=4\nhyperstack=true\n"
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for number in range(4):
            described = header if number == 0 else None
            writer.write(FRAMES[number], description=described, metadata=None, contiguous=False)
    stack = open_stack(tmp_path / "a.tif")
    assert (stack.n_frames, stack.frame_shape) == (4, (6, 5))
    assert "its ImageJ header claims 40 images, and the file holds 4" in stack.remarks


def test_imagej_planes_that_are_there_are_not_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, imagej=True, metadata={"axes": "TYX"})
    assert open_stack(tmp_path / "a.tif").remarks == ()


def test_many_moving_pictures_are_not_decoded_to_open_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shades = [Image.new("L", (5, 6), number % 256) for number in range(600)]
    shades[0].save(tmp_path / "a.gif", save_all=True, append_images=shades[1:])
    with monkeypatch.context() as patched:
        patched.setattr(pictures, "decode", lambda path: pytest.fail("it was decoded"))
        stack = open_stack(tmp_path / "a.gif")
    held = stack.read(0, stack.n_frames)
    assert held.reshape(600, 30, -1)[:, 0, 0].tolist() == [number % 256 for number in range(600)]


@pytest.mark.parametrize("count", [1, 2])
def test_the_choice_of_bioformats2raw_is_between_images(tmp_path: Path, count: int) -> None:
    top = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    top.attrs["bioformats2raw.layout"] = 3
    top.create_group("OME").attrs["series"] = [str(number) for number in range(count)]
    for number in range(count):
        image = top.create_group(str(number))
        axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
        levels = [
            {
                "path": str(level),
                "coordinateTransformations": [{"type": "scale", "scale": [0, float("nan"), 2.0]}],
            }
            for level in (0, 1)
        ]
        image.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": levels}]
        image.create_array("0", data=FRAMES + number)
        image.create_array("1", data=FRAMES[:, ::2, ::2])
    if count > 1:
        with pytest.raises(ValueError, match=r"several arrays: 0 \(4 x 6 x 5 uint16\), 1 \(4"):
            open_stack(tmp_path / "a.zarr")
    stack = open_stack(tmp_path / "a.zarr", key=None if count == 1 else "1")
    np.testing.assert_array_equal(stack.read(0, 4), FRAMES + count - 1)
    assert [(axis.scale, axis.unit) for axis in stack.axes] == [
        (1.0, "pixel"),
        (1.0, "pixel"),
        (2.0, "micrometer"),
    ]


def test_values_for_no_data_come_from_the_file(tmp_path: Path) -> None:
    frames = FRAMES.astype(np.int16)
    frames[0, 0, 0] = -999
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = frames
        file["x"].attrs["_FillValue"] = np.int16(-999)
    zarr.create_array(tmp_path / "a.zarr", data=frames, fill_value=-999)
    extra = [(42113, "s", 0, "-999", True)]
    tifffile.imwrite(tmp_path / "a.tif", frames, extratags=extra, photometric="minisblack")
    for name in ("a.h5", "a.zarr", "a.tif"):
        first = open_stack(tmp_path / name).frame(0)
        assert np.isnan(first[0, 0]), name
        np.testing.assert_array_equal(first.ravel()[1:], frames[0].ravel()[1:])


def test_samples_are_a_colour_only_where_the_file_says_so(tmp_path: Path) -> None:
    pixels = np.zeros((40, 50, 3), np.uint8)
    for photometric, rgb in (("rgb", True), ("minisblack", False)):
        path = tmp_path / f"{photometric}.tif"
        tifffile.imwrite(path, pixels, photometric=photometric, planarconfig="contig")
        assert open_stack(path).rgb is rgb
        assert named(path)[-1] == "c"


def test_matlab_objects_are_no_candidates(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"frames": FRAMES})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    nameless = bytearray(b"\x0e\0\0\0\x38\0\0\0" + b"\x06\0\0\0\x08\0\0\0\x09" + bytes(7))
    nameless += b"\x05\0\0\0\x08\0\0\0\x02\0\0\0\x04\0\0\0" + b"\x01\0\0\0\0\0\0\0"
    nameless += b"\x02\0\0\0\x08\0\0\0" + bytes(8)
    (tmp_path / "a.mat").write_bytes(bytes(content) + bytes(nameless))
    assert open_stack(tmp_path / "a.mat").source.shape == FRAMES.shape


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("\\u03BCm", "micrometer"), ("pm", "picometer"), ("hr", "hour"), ("min", "minute"),
        ("micrometers", "micrometer"), ("km", "kilometer"), ("ps", "picosecond"), ("d", "day"),
        ("mi", "mile"), ("Mm", "megameter"), ("1/nm", "1 / nanometer"),
        ("keV", "kiloelectron_volt"), ("pixel", None), ("reference frame", None), ("c", None),
        ("pt", None), ("-1", None),
    ],
)  # fmt: skip
def test_units_that_files_write(written: str, name: str | None) -> None:
    assert unit_name(written) == name
