"""Which pages of a TIFF file make the stack; the layout is held against tifffile's."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from napari_framewise.stacks.source import Array, Source
from napari_framewise.stacks.sources import tiff_pages
from napari_framewise.stacks.sources.mapped import MappedSource
from napari_framewise.stacks.sources.tiff import open_tiff
from napari_framewise.stacks.sources.tiff_layout import TiffError, joined_spans, pages_of
from napari_framewise.stacks.sources.tiff_pages import TiffPagesSource, pack_places, unpack_places

RNG = np.random.default_rng(2)
FRAMES = RNG.integers(0, 250, (6, 20, 30)).astype(np.uint8)


def whole(source: Source) -> Array:
    return source.read(tuple(slice(0, length, 1) for length in source.shape))


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"rowsperstrip": 7},
        {"tile": (16, 16)},
        {"description": "a text"},
    ],
    ids=str,
)
def test_the_walk_finds_what_tifffile_finds(
    tmp_path: Path, bigtiff: bool, byteorder: Any, options: dict[str, Any]
) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, bigtiff=bigtiff, byteorder=byteorder) as file:
        for frame in FRAMES.astype(np.uint16):
            file.write(frame, contiguous=False, **options)
    pages = list(pages_of(path.read_bytes()))
    with tifffile.TiffFile(path) as file:
        for page, theirs in zip(pages, file.pages, strict=True):
            assert page.shape == theirs.shape
            assert page.offsets == tuple(theirs.dataoffsets)
            assert page.counts == tuple(theirs.databytecounts)
            assert np.dtype(page.element) == np.dtype(byteorder + "u2")
            assert page.plain == (not {"compression", "tile"} & set(options))
            assert page.kind == pages[0].kind


@pytest.mark.parametrize("element", ["u1", "u2", "u4", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_every_type_comes_back(tmp_path: Path, element: str, compression: str | None) -> None:
    frames = FRAMES.astype(element)
    tifffile.imwrite(tmp_path / "a.tif", frames, compression=compression)
    source = open_tiff(str(tmp_path / "a.tif")).source
    assert source.dtype.newbyteorder("=") == frames.dtype
    np.testing.assert_array_equal(whole(source), frames)


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
def test_colour(tmp_path: Path, planarconfig: str, options: dict[str, Any]) -> None:
    colour = RNG.integers(0, 255, (2, 24, 30, 3)).astype(np.uint8)
    data = colour if planarconfig == "contig" else np.moveaxis(colour, -1, 1)
    path = str(tmp_path / "a.tif")
    tifffile.imwrite(path, data, photometric="rgb", planarconfig=planarconfig, **options)
    image = open_tiff(path)
    assert image.axes[1:] == ("YXS" if planarconfig == "contig" else "SYX")
    np.testing.assert_array_equal(whole(image.source), data)


def test_truth_values_of_one_bit(tmp_path: Path) -> None:
    truth = FRAMES > 100
    tifffile.imwrite(tmp_path / "a.tif", truth, photometric="minisblack")
    source = open_tiff(str(tmp_path / "a.tif")).source
    assert source.dtype == bool
    np.testing.assert_array_equal(whole(source), truth)


def test_pages_written_one_by_one_are_one_stack(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for frame in FRAMES:
            file.write(frame, contiguous=False)
    assert tifffile.imread(path).shape == (20, 30)
    image = open_tiff(str(path))
    assert isinstance(image.source, MappedSource)
    assert image.axes == "IYX"
    np.testing.assert_array_equal(whole(image.source), FRAMES)


def test_stacks_written_one_by_one_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for _ in range(3):
            file.write(FRAMES, contiguous=False, metadata={"axes": "ZYX"})
    image = open_tiff(str(path))
    assert image.axes == "IZYX"
    np.testing.assert_array_equal(whole(image.source), np.stack([FRAMES] * 3))


def test_a_file_of_skimage(tmp_path: Path) -> None:
    path = Path(skimage.__file__).parent / "data" / "multipage.tif"
    source = open_tiff(str(path)).source
    with tifffile.TiffFile(path) as file:
        np.testing.assert_array_equal(whole(source), np.stack([p.asarray() for p in file.pages]))


def test_ome_in_several_files(tmp_path: Path) -> None:
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" '
        'SizeX="30" SizeY="20" SizeZ="1" SizeC="1" SizeT="6"><Channel ID="Channel:0:0"/>'
        + "".join(
            f'<TiffData FirstT="{t}" IFD="{t % 3}" PlaneCount="1"><UUID '
            f'FileName="{"ab"[t // 3]}.ome.tif">urn:uuid:{"ab"[t // 3] * 8}</UUID></TiffData>'
            for t in range(6)
        )
        + "</Pixels></Image></OME>"
    )
    for name, frames in (("a", FRAMES[:3]), ("b", FRAMES[3:])):
        own = xml.replace("<OME ", f'<OME UUID="urn:uuid:{name * 8}" ')
        with tifffile.TiffWriter(tmp_path / f"{name}.ome.tif") as file:
            for frame in frames:
                file.write(
                    frame, contiguous=False, metadata=None, description=own, compression="zlib"
                )
    image = open_tiff(str(tmp_path / "a.ome.tif"))
    assert image.axes == "TYX"
    assert {Path(path).name for path in image.source.paths} == {"a.ome.tif", "b.ome.tif"}
    np.testing.assert_array_equal(whole(image.source), FRAMES)


def test_a_region_of_rows_decodes_only_its_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, compression="zlib", rowsperstrip=5)
    source = open_tiff(str(tmp_path / "a.tif")).source
    decoded: list[int] = []
    decode = tiff_pages._decode

    def noted(keyframe: Any, path: str, offset: int, count: int, segment: int, page: Array) -> None:
        decoded.append(segment)
        decode(keyframe, path, offset, count, segment, page)

    monkeypatch.setattr(tiff_pages, "_decode", noted)
    block = source.read((slice(2, 3, 1), slice(7, 12, 1), slice(0, 30, 1)))
    np.testing.assert_array_equal(block, FRAMES[2:3, 7:12])
    assert decoded == [1, 2]
    assert source.chunks == (1, 5, 30)


def test_images_that_differ_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(FRAMES[0], contiguous=False)
        file.write(FRAMES[:, :5], contiguous=False)
    with pytest.raises(ValueError, match=r"differ: 0: 20 x 30 uint8, 1: 6 x 5 x 30 uint8; .* key"):
        open_tiff(str(path))
    np.testing.assert_array_equal(whole(open_tiff(str(path), "1").source), FRAMES[:, :5])
    with pytest.raises(ValueError, match="has no series 7"):
        open_tiff(str(path), "7")


@pytest.mark.parametrize("compression", ["lzw", "packbits", "zstd", "jpeg"])
def test_other_decoders(tmp_path: Path, compression: str) -> None:
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, compression=compression)
    source = open_tiff(str(tmp_path / "a.tif")).source
    np.testing.assert_array_equal(whole(source), tifffile.imread(tmp_path / "a.tif"))


def test_imagej_files_with_one_directory_for_all_frames(tmp_path: Path) -> None:
    # ImageJ writes files of more than 4 GB so, as TIFF has no offsets for the later frames.
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAMES, imagej=True, metadata={"axes": "TYX"})
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, 0)
    path.write_bytes(content)
    assert len(list(pages_of(bytes(content)))) == 1
    image = open_tiff(str(path))
    assert image.axes == "TYX"
    np.testing.assert_array_equal(whole(image.source), FRAMES)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package"),
        ModuleNotFoundError("No module named 'compression'"),
    ],
    ids=type,
)
def test_a_missing_decoder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, compression="zlib")

    def missing(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(tifffile.TiffPage, "decode", property(lambda page: missing))
    with pytest.raises(ValueError, match="install the package imagecodecs"):
        open_tiff(str(tmp_path / "a.tif"))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"imagej": True}], ids=str)
@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off_is_refused(
    tmp_path: Path, options: dict[str, Any], keep: float
) -> None:
    path = tmp_path / "a.tif"
    frames = RNG.integers(0, 60000, (6, 20, 30)).astype(np.uint16)
    tifffile.imwrite(path, frames, **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ValueError, match=r"a\.tif (is cut off|does not begin|is not a whole)"):
        open_tiff(str(path))


def test_damaged_data_are_told_when_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for frame in FRAMES:
            file.write(frame, contiguous=False, compression="zlib")
    offset = list(pages_of(path.read_bytes()))[3].offsets[0]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\x07" * 40)
    source = open_tiff(str(path)).source
    np.testing.assert_array_equal(
        source.read((slice(0, 3, 1), slice(0, 20, 1), slice(0, 30, 1))), FRAMES[:3]
    )
    with pytest.raises(ValueError, match=r"a\.tif is damaged: its \w+ data can't be decoded"):
        whole(source)


def test_directories_in_a_ring_end() -> None:
    header = b"II*\x00\x08\x00\x00\x00"
    entries = b"".join(
        int(tag).to_bytes(2, "little") + b"\x04\x00\x01\x00\x00\x00" + int(v).to_bytes(4, "little")
        for tag, v in ((256, 2), (257, 2), (258, 8), (273, 0), (277, 1), (279, 4))
    )
    content = header + b"\x06\x00" + entries + b"\x08\x00\x00\x00"
    with pytest.raises(TiffError, match="ring"):
        list(pages_of(content))


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(
            st.lists(st.tuples(*[st.integers(-1, 2**40)] * 3), min_size=n, max_size=n),
            min_size=1,
            max_size=6,
        )
    )
)
def test_places_survive_packing(places: list[list[tuple[int, int, int]]]) -> None:
    table = np.array(places, np.int64)
    np.testing.assert_array_equal(unpack_places(pack_places(table), table.shape[1]), table)


def test_places_of_very_many_pages_travel_light() -> None:
    places = np.zeros((100_000, 1, 3), np.int64)
    places[:, 0, 1] = 300 + np.arange(100_000) * 8450
    places[:, 0, 2] = 8192
    assert len(pack_places(places)) < 20_000


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), min_size=1), st.integers(0, 4))
def test_joined_spans_cover_the_same(pairs: list[tuple[int, int]], gap: int) -> None:
    spans = [(start, start + length) for start, length in pairs]
    joined = joined_spans(spans, gap)
    assert all(b[0] - a[1] > gap for a, b in pairwise(joined))
    covered = {n for start, stop in joined for n in range(start, stop)}
    assert covered >= {n for start, stop in spans for n in range(start, stop)}


def test_missing_planes_are_no_data() -> None:
    places = pack_places(np.full((2, 1, 3), -1))
    source = TiffPagesSource(("nowhere.tif",), (2,), (3, 4), "<u2", places, gaps=True)
    assert source.dtype == np.float32
    np.testing.assert_array_equal(whole(source), np.full((2, 3, 4), np.nan, np.float32))
