"""Opening any file: the right reader, its metadata, and one sentence for what can't be opened."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import zarr
from PIL import Image

from napari_framewise.io import can_open, open_stack, readable_formats
from napari_framewise.stacks.stack import Origin

FRAMES = np.random.default_rng(6).integers(0, 60000, (5, 16, 12)).astype(np.uint16)


class Harmful:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.mark,)


def opened_and_read(path: Path, **options: Any) -> None:
    source = open_stack(path, **options).source
    source.read(tuple(slice(0, length, 1) for length in source.shape))


def refused(path: Path, sentence: str, **options: Any) -> None:
    """Opening or reading fails with one sentence that names the file."""
    with pytest.raises(ValueError, match=sentence) as caught:
        opened_and_read(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    assert text.endswith((".", "key"))


# -- what is opened ----------------------------------------------------------------------------


def test_a_stack_knows_where_it_was_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=FRAMES, y=FRAMES)
    path = str(tmp_path / "a.npz")
    stack = open_stack(path, key="y")
    assert stack.name == "a.npz"
    assert stack.origin == Origin(path=path, key="y")
    assert stack.summary() == "5 frames of 16 x 12, uint16, frames along axis 0"


def test_the_content_tells_more_than_the_ending(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES)
    (tmp_path / "a.tif").rename(tmp_path / "a.dat")
    np.save(tmp_path / "b.npy", FRAMES)
    (tmp_path / "b.npy").rename(tmp_path / "b.tif")
    for name in ("a.dat", "b.tif"):
        assert can_open(tmp_path / name)
        np.testing.assert_array_equal(open_stack(tmp_path / name).read(0, 5), FRAMES)


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert open_stack("~/a.npy").n_frames == 5


def test_a_relative_path_holds_where_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "a.npy", FRAMES)
    monkeypatch.chdir(tmp_path)
    stack = open_stack("a.npy")
    monkeypatch.chdir("/")
    np.testing.assert_array_equal(stack.read(0, 5), FRAMES)


@pytest.mark.parametrize(
    ("shape", "dtype", "names"),
    [
        ((5, 16, 3), "u1", ["y", "x", "c"]),
        ((5, 16, 4), "u2", ["y", "x", "c"]),
        ((5, 16, 3), "f4", ["axis 0", "y", "x"]),
    ],
)
def test_plain_arrays_have_channels_but_no_colours(
    tmp_path: Path, shape: tuple[int, ...], dtype: str, names: list[str]
) -> None:
    """Whether channels are the components of a colour is for a file to say; a guess is said."""
    np.save(tmp_path / "a.npy", np.zeros(shape, dtype))
    stack = open_stack(tmp_path / "a.npy")
    assert not stack.rgb
    assert [axis.name for axis in stack.axes] == names
    assert "the file names no axes" in stack.account


def test_one_picture_and_a_moving_one(tmp_path: Path) -> None:
    grey = np.arange(16 * 12, dtype=np.uint8).reshape(16, 12)
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], -1)
    Image.fromarray(colour).save(tmp_path / "a.png")
    stack = open_stack(tmp_path / "a.png")
    assert (stack.rgb, stack.frame_shape, stack.n_frames) == (True, (16, 12, 3), 1)
    np.testing.assert_array_equal(stack.frame(0), colour)
    pictures = [Image.fromarray(grey + n) for n in range(4)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    stack = open_stack(tmp_path / "a.gif")
    assert stack.n_frames == 4
    with Image.open(tmp_path / "a.gif") as theirs:
        for number in range(4):
            theirs.seek(number)
            expected = np.asarray(theirs.convert("RGB") if stack.rgb else theirs)
            np.testing.assert_array_equal(stack.frame(number), expected)


@pytest.mark.parametrize(
    ("mode", "shape", "dtype"),
    [
        ("1", (16, 12), "bool"),
        ("L", (16, 12), "uint8"),
        ("LA", (16, 12, 4), "uint8"),
        ("P", (16, 12, 3), "uint8"),
        ("RGBA", (16, 12, 4), "uint8"),
    ],
)
def test_every_kind_of_png(tmp_path: Path, mode: str, shape: tuple[int, ...], dtype: str) -> None:
    grey = np.arange(16 * 12, dtype=np.uint8).reshape(16, 12)
    Image.fromarray(grey).convert(mode).save(tmp_path / "a.png")
    stack = open_stack(tmp_path / "a.png")
    assert stack.source.shape == shape
    assert stack.dtype == dtype
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(tmp_path / "a.png", folder / "a.png")
    np.testing.assert_array_equal(open_stack(folder).frame(0), stack.frame(0))


def test_files_that_matlab_wrote_turn_to_frames_first(tmp_path: Path) -> None:
    pages = FRAMES.transpose(1, 2, 0)
    scipy.io.savemat(tmp_path / "a.mat", {"frames": pages})
    content = (tmp_path / "a.mat").read_bytes()
    assert b"Platform: " in content[:116]
    text = b"MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1".ljust(116)
    (tmp_path / "a.mat").write_bytes(text + content[116:])
    np.testing.assert_array_equal(open_stack(tmp_path / "a.mat").read(0, 5), FRAMES)


def test_channels_that_scipy_wrote_are_guessed_as_in_other_files(tmp_path: Path) -> None:
    picture = np.zeros((16, 12, 3), np.uint8)
    scipy.io.savemat(tmp_path / "a.mat", {"x": picture})
    np.save(tmp_path / "a.npy", picture)
    stacks = [open_stack(tmp_path / name) for name in ("a.mat", "a.npy")]
    assert [axis.name for axis in stacks[0].axes] == ["y", "x", "c"]
    assert stacks[0].axes == stacks[1].axes
    assert stacks[0].notes == stacks[1].notes


def test_a_colour_film_of_matlab(tmp_path: Path) -> None:
    film = np.random.default_rng(7).integers(0, 255, (7, 16, 12, 3)).astype(np.uint8)
    with h5py.File(tmp_path / "a.mat", "w") as file:
        # H x W x 3 x N in MATLAB is N x 3 x W x H in HDF5.
        file["film"] = film.transpose(0, 3, 2, 1)
        file["film"].attrs["MATLAB_class"] = np.bytes_("uint8")
        file["name"] = np.array([[104], [105]], np.uint16)
        file["name"].attrs["MATLAB_class"] = np.bytes_("char")
    stack = open_stack(tmp_path / "a.mat")
    assert [axis.name for axis in stack.axes] == ["frame", "c", "y", "x"]
    assert stack.frame_shape == (16, 12, 3)
    np.testing.assert_array_equal(stack.read(0, 7), film)


def test_whole_numbers_that_matlab_keeps_in_less(tmp_path: Path) -> None:
    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4)
    scipy.io.savemat(tmp_path / "a.mat", {"x": numbers, "flag": True})
    content = bytearray((tmp_path / "a.mat").read_bytes())
    # The class of x: from uint8 to double, as MATLAB writes doubles that are small whole numbers.
    assert content[144] == 9
    content[144] = 6
    (tmp_path / "a.mat").write_bytes(content)
    assert scipy.io.whosmat(tmp_path / "a.mat")[0] == ("x", (3, 4), "double")
    np.testing.assert_array_equal(open_stack(tmp_path / "a.mat", key="x").frame(0), numbers)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8", "?"])
def test_every_type_of_matlab(tmp_path: Path, dtype: str, compressed: bool) -> None:
    frames = (FRAMES % 100).astype(dtype)
    scipy.io.savemat(tmp_path / "a.mat", {"s": {"x": 1.0}, "x": frames}, do_compression=compressed)
    stack = open_stack(tmp_path / "a.mat")
    assert stack.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(stack.read(0, 5), frames)


# -- what is said of folders -------------------------------------------------------------------


def test_a_folder_is_sorted_as_a_person_would(tmp_path: Path) -> None:
    for number in (10, 2, 1, 20):
        tifffile.imwrite(tmp_path / f"img{number}.tif", np.full((4, 4), number, np.uint8))
    (tmp_path / ".hidden.tif").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "deeper").mkdir()
    stack = open_stack(tmp_path)
    assert stack.read(0, 4)[:, 0, 0].tolist() == [1, 2, 10, 20]


def test_mixed_kinds_need_a_pattern(tmp_path: Path) -> None:
    for number in range(3):
        tifffile.imwrite(tmp_path / f"img{number}.TIF", FRAMES[number])
        Image.fromarray(FRAMES[number]).save(tmp_path / f"img{number}.png")
    tifffile.imwrite(tmp_path / "img3.tiff", FRAMES[3])
    refused(tmp_path, r'holds 4 \.tif files, 3 \.png files; choose .* pattern="\*\.tif"')
    assert open_stack(tmp_path, pattern="*.tif*").n_frames == 4
    assert open_stack(tmp_path, pattern="*.PNG").n_frames == 3
    assert open_stack(tmp_path, pattern="img[01].png").n_frames == 2
    refused(tmp_path, r"holds no file \*\.jpg .*give a pattern", pattern="*.jpg")


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_a_ragged_folder_names_the_odd_files(tmp_path: Path, ending: str) -> None:
    for number in range(9):
        frame = FRAMES[0] if number not in (2, 4, 5, 7) else FRAMES[0, : number + 1]
        frame = FRAMES[0].astype(np.uint8) if number == 7 else frame
        Image.fromarray(frame).save(tmp_path / f"img{number}.{ending}")
    refused(
        tmp_path,
        rf"differ: 5 of 16 x 12 uint16, but img2\.{ending} \(3 x 12 uint16\), img4\.{ending} "
        rf"\(5 x 12 uint16\), img5\.{ending} \(6 x 12 uint16\) and 1 more; take",
    )


def test_folders_without_images(tmp_path: Path) -> None:
    refused(tmp_path, "holds no image files .it holds no files.")
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.txt").write_text("text")
    refused(tmp_path, r"holds no image files .it holds 2 \.txt files.")
    assert not can_open(tmp_path)


# -- what is refused ---------------------------------------------------------------------------


def test_nothing_that_is_pickled_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    harmful = np.array([Harmful(mark), None], dtype=object)
    np.save(tmp_path / "a.npy", harmful, allow_pickle=True)
    refused(tmp_path / "a.npy", "pickled Python objects, which are not loaded")
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Harmful(mark)))
    refused(tmp_path / "b.npy", r"is no whole \.npy file")
    np.savez(tmp_path / "c.npz", x=harmful)
    refused(tmp_path / "c.npz", "member x, holds pickled Python objects")
    np.savez(tmp_path / "d.npz", x=harmful, y=FRAMES)
    assert open_stack(tmp_path / "d.npz").n_frames == 5
    refused(tmp_path / "d.npz", "member x, holds pickled", key="x")
    assert not mark.exists()


@pytest.mark.parametrize("ending", [each for f in readable_formats() for each in f.extensions])
def test_empty_files_and_text_in_disguise(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.touch()
    refused(path, "is empty")
    path.write_text("This is a text and no picture, whatever its name says. " * 4)
    refused(path, re_any("does not begin", "no whole", "not a picture", "no .npz", "can't be"))


def re_any(*parts: str) -> str:
    return "|".join(parts)


def test_unknown_files(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_text("text")
    refused(path, r"is of no kind that can be opened; the kinds are \.npy")
    assert not can_open(path)
    assert not can_open(tmp_path / "nothing.tif")
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder .*nothing\.tif"):
        open_stack(tmp_path / "nothing.tif")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "b.npz", "a.mat", "a.h5", "a.png", "a.tif"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_files_that_are_cut_off(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    writers: dict[str, Callable[[], Any]] = {
        "a.npy": lambda: np.save(path, FRAMES),
        "a.npz": lambda: np.savez(path, x=FRAMES),
        "b.npz": lambda: np.savez_compressed(path, x=FRAMES),
        "a.mat": lambda: scipy.io.savemat(path, {"x": FRAMES}, do_compression=True),
        "a.h5": lambda: h5py.File(path, "w").create_dataset("x", data=FRAMES).file.close(),
        "a.png": lambda: Image.fromarray(FRAMES[0]).save(path),
        "a.tif": lambda: tifffile.imwrite(path, FRAMES),
    }
    writers[name]()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, "cut off|no whole|damaged|not a picture|does not begin")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat", "a.h5", "a.tif", "a.zarr"])
def test_complex_data(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = FRAMES.astype(np.complex64)
    writers: dict[str, Callable[[], Any]] = {
        "a.npy": lambda: np.save(path, data),
        "a.npz": lambda: np.savez(path, x=data),
        "a.mat": lambda: scipy.io.savemat(path, {"x": data}),
        "a.h5": lambda: h5py.File(path, "w").create_dataset("x", data=data).file.close(),
        "a.tif": lambda: tifffile.imwrite(path, data),
        "a.zarr": lambda: zarr.create_array(path, data=data),
    }
    writers[name]()
    refused(path, "holds complex numbers")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (FRAMES[:0], "no pixels"),
        (np.float64(3), "a single value"),
        (np.array(["a", "b"]), "elements of type <U1"),
        (np.zeros((3, 3), [("a", "f4"), ("b", "f4")]), "elements of type"),
        (np.zeros((3, 3), "M8[s]"), "elements of type datetime64"),
    ],
)
def test_arrays_that_are_no_frames(tmp_path: Path, data: Any, sentence: str) -> None:
    np.save(tmp_path / "a.npy", data)
    refused(tmp_path / "a.npy", sentence)


def test_png_with_more_than_could_be_kept(tmp_path: Path) -> None:
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x0c\x00\x00\x00\x10\x10\x02"
    for folder in (tmp_path, tmp_path / "one"):
        folder.mkdir(exist_ok=True)
        (folder / "a.png").write_bytes(header + b"\x00" * 40)
    refused(tmp_path / "a.png", "16 bits per colour")
    with pytest.raises(ValueError, match=r"a\.png is a PNG with 16 bits per colour"):
        open_stack(tmp_path / "one")


def test_several_arrays_are_listed_with_their_shapes(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=FRAMES, second=FRAMES[0], times=np.arange(5))
    scipy.io.savemat(tmp_path / "a.mat", {"first": FRAMES, "second": FRAMES[0]})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/first"], file["second"], file["label"] = FRAMES, FRAMES[0], "text"
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_array("second", data=FRAMES[0])
    group.create_array("group/first", data=FRAMES)
    for name, first in (
        ("a.npz", "first"),
        ("a.mat", "first"),
        ("a.h5", "group/first"),
        ("a.zarr", "group/first"),
    ):
        path = tmp_path / name
        listed = rf"{first} \(5 x 16 x 12 uint16\), second \(16 x 12 uint16\)"
        refused(path, rf"several arrays: {listed}; give .* key")
        np.testing.assert_array_equal(open_stack(path, key=first).read(0, 5), FRAMES)
        np.testing.assert_array_equal(open_stack(path, key="second").frame(0), FRAMES[0])
        refused(path, f"has no array third; it holds {first}", key="third")
    refused(tmp_path / "a.h5", r"label \(one value object\) is no array of numbers", key="label")


def test_files_that_hold_no_arrays(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["x"] = 1
    scipy.io.savemat(tmp_path / "a.mat", {"text": "hello", "cell": np.array([{}], dtype=object)})
    zarr.open_group(tmp_path / "a.zarr", mode="w")
    for name in ("a.h5", "a.mat", "a.zarr"):
        refused(tmp_path / name, r"no array of numbers with two or more axes .it holds no arrays")


def test_damaged_chunks_are_told_when_they_are_read(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=FRAMES, chunks=(2, 16, 12))
    chunk = next(p for p in (tmp_path / "a.zarr" / "c").rglob("*") if p.is_file())
    chunk.write_bytes(b"rubbish")
    refused(tmp_path / "a.zarr", "a chunk of the array can't be read")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("x", data=FRAMES, chunks=(5, 16, 12), compression="gzip")
        place = dataset.id.get_chunk_info(0).byte_offset
    with (tmp_path / "a.h5").open("r+b") as raw:
        raw.seek(place)
        raw.write(b"\x01" * 200)
    refused(tmp_path / "a.h5", "the dataset /x can't be read")
    (tmp_path / "b.zarr").mkdir()
    (tmp_path / "b.zarr" / "zarr.json").write_text("{bad")
    refused(tmp_path / "b.zarr", "can't be read as zarr")


def test_every_format_says_what_is_read_of_it() -> None:
    endings = [ending for each in readable_formats() for ending in each.extensions]
    assert len(endings) == len(set(endings))
    assert all(ending.startswith(".") and ending == ending.casefold() for ending in endings)
    assert all(each.title and each.reads for each in readable_formats())
    assert {".npy", ".npz", ".mat", ".h5", ".tif", ".zarr", ".png"} <= set(endings)


def test_unreadable_files_are_not_offered(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "loop.tif").symlink_to(tmp_path / "loop.tif")
        assert not can_open(tmp_path / "loop.tif")
    else:
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, FRAMES)
        path.chmod(0)
        assert not can_open(path)
