from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.cli.calling import REFERENCES, CallCli
from tests.helpers.recipes import write_frames

import napari_framewise as fw
from napari_framewise.cli.choosing import valued_refs
from napari_framewise.framework.inputs import Input, InputValue, Kind
from napari_framewise.framework.recipe import InputRef
from napari_framewise.stacks.source import Array


def means_of(call: CallCli, *arguments: object) -> list[float]:
    code, _, err = call(
        "everything", *arguments, "--factor", 1, "-o", "out.csv", "-q", "--overwrite"
    )
    assert (code, err) == (0, "")
    return fw.read_table("out.csv")["mean"].tolist()


def test_frames_region_axes_and_channel_are_chosen(call: CallCli) -> None:
    data = np.random.default_rng(0).integers(0, 99, (6, 2, 5, 7)).astype(np.uint8)
    tifffile.imwrite("s.tif", data, imagej=True, metadata={"axes": "TCYX"})
    options = ("--channel", 1, "--frames", "1:6:2", "--region", "0:3,2:6")
    expected = data[1:6:2, 1, 0:3, 2:6].mean(axis=(1, 2))
    assert means_of(call, "s.tif", *options) == pytest.approx(expected)
    assert means_of(call, "s.tif@1:6:2", *options[:2], *options[4:]) == pytest.approx(expected)
    both = data.reshape(12, 5, 7).mean(axis=(1, 2))
    assert means_of(call, "s.tif", "--frames-along", "t,c") == pytest.approx(both)
    assert means_of(call, "s.tif", "--frames-along", "0,1") == pytest.approx(both)
    assert means_of(call, "s.tif", "--frames-along", "t,1", "--frames", 7) == pytest.approx(
        both[7:8]
    )


def test_arrays_inside_files_and_parts_of_folders_are_chosen(call: CallCli) -> None:
    import h5py

    data = np.random.default_rng(0).integers(0, 99, (3, 5, 7)).astype(np.uint8)
    with h5py.File("d.h5", "w") as file:
        file["entry/first"] = data
        file["entry/second"] = data + 100
    expected = data.mean(axis=(1, 2)) + 100
    assert means_of(call, "d.h5", "--key", "entry/second") == pytest.approx(expected)
    assert means_of(call, "d.h5::entry/second@1:") == pytest.approx(expected[1:])
    Path("folder").mkdir()
    for number, frame in enumerate(data):
        tifffile.imwrite(f"folder/img{number}.tif", frame)
        tifffile.imwrite(f"folder/dark{number}.tif", frame * 0)
    found = means_of(call, "folder", "--pattern", "img*.tif")
    assert found == pytest.approx(data.mean(axis=(1, 2)))


def test_a_reference_takes_the_channel_and_the_region_of_the_stack(
    call: CallCli, mixture: tuple[Array, Array]
) -> None:
    frames, _ = mixture
    images = np.stack([tifffile.imread(name) for name in ("a.tif", "b.tif")])
    marks = np.zeros((12, 10), np.uint8)
    marks[2:9, 1:8] = 1
    tifffile.imwrite("mask.tif", marks)
    region = ("--region", "2:9,1:8")
    assert call("mixing", "s.npy", *REFERENCES, *region, "-o", "cut.csv", "-q")[0] == 0
    assert (
        call("mixing", "s.npy", *REFERENCES, "--mask", "mask.tif", "-o", "masked.csv", "-q")[0] == 0
    )
    cut, masked = fw.read_table("cut.csv"), fw.read_table("masked.csv")
    np.testing.assert_allclose(cut["x1"], masked["x1"], rtol=1e-12)
    two = np.stack([frames * 0, frames], axis=1)
    tifffile.imwrite("tc.tif", two, imagej=True, metadata={"axes": "TCYX"})
    for name, image in zip("cd", images, strict=True):
        channels = np.stack([image * 0, image])
        tifffile.imwrite(f"{name}.tif", channels, imagej=True, metadata={"axes": "CYX"})
    chosen = ("--references", "c.tif", "d.tif", "--channel", 1, *region, "-o", "channel.csv", "-q")
    assert call("mixing", "tc.tif", *chosen) == (0, "", "")
    np.testing.assert_array_equal(fw.read_table("channel.csv")["x1"], cut["x1"])


def test_frames_of_one_file_are_references(call: CallCli, mixture: tuple[Array, Array]) -> None:
    np.save("refs.npy", np.stack([tifffile.imread(name) for name in ("a.tif", "b.tif")]))
    assert call("mixing", "s.npy", *REFERENCES, "-o", "one.csv", "-q")[0] == 0
    pair = ("--references", "refs.npy@0", "refs.npy@1")
    assert call("mixing", "s.npy", *pair, "-o", "two.csv", "-q") == (0, "", "")
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()


def test_a_sample_can_be_tried_without_a_file(call: CallCli) -> None:
    sample = "sample:two_references"
    parts = ("--references", f"{sample}/reference-1", f"{sample}/reference-2")
    code, out, err = call("mixing", f"{sample}@0:200", *parts)
    assert (code, err) == (0, "")
    assert out.startswith("sample:two_references\n  x1")
    assert "200 frames" in out
    assert list(Path().iterdir()) == []


def test_patterns_are_expanded_where_the_shell_did_not(call: CallCli) -> None:
    for name in ("day10", "day2", "night"):
        write_frames(Path(f"{name}.npy"), n=1)
    _, out, _ = call("everything", "day*.npy")
    assert [line for line in out.splitlines() if line.endswith(".npy")] == ["day2.npy", "day10.npy"]


def test_numbers_given_several_times_are_one_for_each_input_and_never_the_last_for_all() -> None:
    role = Input("images", Kind.STACK, "Images", "What.", most=4, value=InputValue("Value"))
    refs = [InputRef(path="a.tif"), InputRef(path="b.tif")]
    found = valued_refs(refs, role, ["20", "30"])
    assert [ref.values for ref in found] == [(20.0,), (30.0,)]
    assert [ref.values for ref in valued_refs(refs, role, ["20,30"])] == [(20.0,), (30.0,)]
    with pytest.raises(ValueError, match="given 3 times for 2 inputs; give it once for all"):
        valued_refs(refs, role, ["1", "2", "3"])
