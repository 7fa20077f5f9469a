"""Files of a folder: the fast path, what leaves it, and what is found while reading."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from napari_framewise.io import open_stack
from napari_framewise.stacks.source import Array, Source
from napari_framewise.stacks.sources import folder as folder_module
from napari_framewise.stacks.sources.folder import FolderSource, pack_names, unpack_names
from napari_framewise.stacks.sources.tiff_template import TemplateReader, template_of

FRAMES = np.random.default_rng(3).integers(0, 60000, (12, 16, 20)).astype(np.uint16)


def whole(source: Source) -> Array:
    return source.read(tuple(slice(0, length, 1) for length in source.shape))


def opened(path: Path) -> FolderSource:
    source = open_stack(path).source
    assert isinstance(source, FolderSource)
    return source


def write(folder: Path, frames: Array = FRAMES, **options: Any) -> None:
    for number, frame in enumerate(frames):
        tifffile.imwrite(folder / f"img{number}.tif", frame, **options)


@pytest.fixture
def slow_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that another library had to read."""
    names: list[str] = []
    read = folder_module.read_file

    def noted(path: str) -> Array:
        names.append(Path(path).name)
        return read(path)

    monkeypatch.setattr(folder_module, "read_file", noted)
    return names


@pytest.mark.parametrize(
    "options",
    [{}, {"byteorder": ">"}, {"rowsperstrip": 5}, {"imagej": True}, {"bigtiff": True}],
    ids=str,
)
def test_files_of_one_layout_are_read_without_a_library(
    tmp_path: Path, slow_reads: list[str], options: dict[str, Any]
) -> None:
    write(tmp_path, **options)
    source = opened(tmp_path)
    np.testing.assert_array_equal(whole(source), FRAMES)
    assert slow_reads == []


def test_a_date_does_not_matter(tmp_path: Path, slow_reads: list[str]) -> None:
    for number, frame in enumerate(FRAMES):
        date = f"2024:01:{number + 1:02d} 10:00:00"
        tifffile.imwrite(tmp_path / f"img{number}.tif", frame, datetime=date)
    contents = {path.read_bytes()[: -FRAMES[0].nbytes] for path in tmp_path.iterdir()}
    assert len(contents) > 1
    source = opened(tmp_path)
    np.testing.assert_array_equal(whole(source), FRAMES)
    reader = TemplateReader(source.template, (slice(0, 16, 1), slice(0, 20, 1)))
    assert all(reader.follows(str(path)) for path in tmp_path.iterdir())


def test_pixels_at_another_place_are_found(tmp_path: Path, slow_reads: list[str]) -> None:
    write(tmp_path)
    tifffile.imwrite(tmp_path / "img3.tif", FRAMES[3], description="a longer description")
    Image.fromarray(FRAMES[4]).save(tmp_path / "img4.tif")
    np.testing.assert_array_equal(whole(opened(tmp_path)), FRAMES)
    assert slow_reads == []


def test_a_compressed_file_among_plain_ones(tmp_path: Path, slow_reads: list[str]) -> None:
    write(tmp_path)
    tifffile.imwrite(tmp_path / "img5.tif", FRAMES[5], compression="zlib")
    tifffile.imwrite(tmp_path / "img6.tif", FRAMES[6], byteorder=">")
    np.testing.assert_array_equal(whole(opened(tmp_path)), FRAMES)
    assert slow_reads == ["img5.tif", "img6.tif"]


def test_a_layout_that_only_looks_alike_is_not_taken(tmp_path: Path) -> None:
    write(tmp_path)
    source = opened(tmp_path)
    # As many bytes, but transposed: only the directory tells.
    tifffile.imwrite(tmp_path / "img2.tif", FRAMES[2].T)
    assert (tmp_path / "img2.tif").stat().st_size == (tmp_path / "img1.tif").stat().st_size
    sentence = r"img2\.tif holds 20 x 16 uint16 and the other files 16 x 20 uint16"
    with pytest.raises(ValueError, match=sentence):
        whole(source)
    np.testing.assert_array_equal(
        source.read((slice(3, 12, 1), slice(0, 16, 1), slice(0, 20, 1))), FRAMES[3:]
    )


def test_files_that_are_taken_away_or_emptied_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    source = opened(tmp_path)
    (tmp_path / "img7.tif").write_bytes(b"")
    with pytest.raises(ValueError, match=r"img7\.tif is empty"):
        whole(source)
    (tmp_path / "img7.tif").unlink()
    with pytest.raises(FileNotFoundError, match=r"img7\.tif is not there any more"):
        whole(source)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_several_pages_a_file(
    tmp_path: Path, slow_reads: list[str], options: dict[str, Any]
) -> None:
    pages = FRAMES.reshape(4, 3, 16, 20)
    write(tmp_path, pages, photometric="minisblack", **options)
    stack = open_stack(tmp_path)
    assert [axis.name for axis in stack.axes] == ["file", "page", "y", "x"]
    assert stack.n_frames == 12
    np.testing.assert_array_equal(whole(stack.source), pages)
    region = (slice(1, 4, 2), slice(1, 3, 1), slice(4, 9, 2), slice(0, 20, 5))
    np.testing.assert_array_equal(stack.source.read(region), pages[region])
    assert bool(slow_reads) == bool(options)


def test_time_in_the_files_and_from_file_to_file(tmp_path: Path) -> None:
    write(tmp_path, FRAMES.reshape(4, 3, 16, 20), imagej=True, metadata={"axes": "TYX"})
    stack = open_stack(tmp_path)
    assert [axis.name for axis in stack.axes] == ["file", "t", "y", "x"]
    assert stack.frame_axes == (0, 1)
    np.testing.assert_array_equal(stack.read(0, 12), FRAMES)


def test_photographs_are_colour(tmp_path: Path) -> None:
    colours = np.random.default_rng(4).integers(0, 255, (3, 16, 20, 3)).astype(np.uint8)
    for number, colour in enumerate(colours):
        Image.fromarray(colour).save(tmp_path / f"photo {number}.png")
    stack = open_stack(tmp_path)
    assert stack.rgb
    assert stack.frame_shape == (16, 20, 3)
    np.testing.assert_array_equal(stack.read(0, 3), colours)


def test_large_files_are_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.random.default_rng(5).integers(0, 255, (2, 700, 500)).astype(np.uint8)
    write(tmp_path, frames)
    source = opened(tmp_path)
    asked: list[int] = []
    read = folder_module.TemplateReader._pieces

    def noted(self: TemplateReader, path: str) -> list[bytes] | None:
        pieces = read(self, path)
        asked.append(sum(map(len, pieces or [])))
        return pieces

    monkeypatch.setattr(TemplateReader, "_pieces", noted)
    block = source.read((slice(0, 2, 1), slice(650, 660, 1), slice(10, 20, 1)))
    np.testing.assert_array_equal(block, frames[:, 650:660, 10:20])
    assert max(asked) < 30_000
    np.testing.assert_array_equal(whole(source), frames)


def test_the_names_of_very_many_files_travel_light(tmp_path: Path) -> None:
    names = [f"acquisition_0001_frame_{number:06d}.tif" for number in range(100_000)]
    source = FolderSource("/data/run", pack_names(names), len(names), (64, 64), "<u2")
    assert len(pickle.dumps(source)) < 300_000
    assert unpack_names(source.names) == tuple(names)


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"])), min_size=1
    )
)
def test_any_names_survive_packing(names: list[str]) -> None:
    assert unpack_names(pack_names(names)) == tuple(names)


def test_a_template_is_made_of_plain_files_only(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES[0], compression="zlib")
    assert template_of((tmp_path / "a.tif").read_bytes()) is None
    tifffile.imwrite(tmp_path / "b.tif", FRAMES[0])
    template = template_of((tmp_path / "b.tif").read_bytes())
    assert template is not None
    assert (template.shape, template.element) == ((16, 20), "<u2")
