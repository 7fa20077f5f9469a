"""Every source reads any region of what another library wrote, also after it was pickled."""

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import dask.array as da
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import zarr
from PIL import Image
from tests.helpers.source_contract import FRAMES, SourceContract

from napari_framewise.io import open_stack
from napari_framewise.stacks.source import ArraySource, Source
from napari_framewise.stacks.sources.dasks import DaskSource
from napari_framewise.stacks.sources.folder import FolderSource
from napari_framewise.stacks.sources.hdf5 import Hdf5Source
from napari_framewise.stacks.sources.joined import GatheredSource, JoinedSource
from napari_framewise.stacks.sources.loaded import LoadedSource
from napari_framewise.stacks.sources.mapped import MappedSource
from napari_framewise.stacks.sources.packed import PackedSource
from napari_framewise.stacks.sources.resampled import NearestSource
from napari_framewise.stacks.sources.tiff_pages import TiffPagesSource
from napari_framewise.stacks.sources.transposed import TransposedSource
from napari_framewise.stacks.sources.view import SourceView
from napari_framewise.stacks.sources.zarrs import ZarrSource
from napari_framewise.stacks.stack import stack_of

Writer = Callable[[Path], Source]
KINDS: dict[str, tuple[Writer, type]] = {}


def kind(expected: type) -> Callable[[Writer], Writer]:
    def keep(writer: Writer) -> Writer:
        KINDS[writer.__name__] = writer, expected
        return writer

    return keep


def opened(path: Path) -> Source:
    return open_stack(path).source


@kind(MappedSource)
def npy(folder: Path) -> Source:
    np.save(folder / "a.npy", FRAMES)
    return opened(folder / "a.npy")


@kind(MappedSource)
def npy_fortran(folder: Path) -> Source:
    np.save(folder / "a.npy", np.asfortranarray(FRAMES))
    return opened(folder / "a.npy")


@kind(MappedSource)
def npy_big_endian(folder: Path) -> Source:
    np.save(folder / "a.npy", FRAMES.astype(">u2"))
    return opened(folder / "a.npy")


@kind(MappedSource)
def npz_stored(folder: Path) -> Source:
    np.savez(folder / "a.npz", frames=FRAMES, times=np.arange(9))
    return opened(folder / "a.npz")


@kind(LoadedSource)
def npz_compressed(folder: Path) -> Source:
    np.savez_compressed(folder / "a.npz", frames=FRAMES)
    return opened(folder / "a.npz")


@kind(LoadedSource)
def mat_5(folder: Path) -> Source:
    scipy.io.savemat(folder / "a.mat", {"frames": FRAMES, "note": "text"}, do_compression=True)
    return opened(folder / "a.mat")


@kind(MappedSource)
def mat_5_plain(folder: Path) -> Source:
    scipy.io.savemat(folder / "a.mat", {"note": "text", "frames": FRAMES})
    return opened(folder / "a.mat")


@kind(TransposedSource)
def mat_73(folder: Path) -> Source:
    with h5py.File(folder / "a.mat", "w", userblock_size=512) as file:
        # MATLAB's H x W x N array is N x W x H in HDF5.
        file["frames"] = FRAMES.transpose(0, 2, 1)
        file["frames"].attrs["MATLAB_class"] = np.bytes_("uint16")
    with (folder / "a.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return opened(folder / "a.mat")


@kind(MappedSource)
def hdf5_contiguous(folder: Path) -> Source:
    with h5py.File(folder / "a.h5", "w") as file:
        file["group/frames"] = FRAMES
    return opened(folder / "a.h5")


@kind(Hdf5Source)
def hdf5_chunked(folder: Path) -> Source:
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("frames", data=FRAMES, chunks=(2, 16, 8), compression="gzip")
    return opened(folder / "a.h5")


@kind(ZarrSource)
def zarr_2(folder: Path) -> Source:
    zarr.create_array(folder / "a.zarr", data=FRAMES, chunks=(2, 16, 8), zarr_format=2)
    return opened(folder / "a.zarr")


@kind(ZarrSource)
def zarr_3_sharded(folder: Path) -> Source:
    group = zarr.open_group(folder / "a.zarr", mode="w", zarr_format=3)
    group.create_array("frames", data=FRAMES, chunks=(2, 16, 8), shards=(4, 32, 16))
    return opened(folder / "a.zarr")


@kind(MappedSource)
def tiff_contiguous(folder: Path) -> Source:
    tifffile.imwrite(folder / "a.tif", FRAMES)
    return opened(folder / "a.tif")


@kind(MappedSource)
def tiff_imagej_big_endian(folder: Path) -> Source:
    tifffile.imwrite(folder / "a.tif", FRAMES, imagej=True, metadata={"axes": "TYX"})
    return opened(folder / "a.tif")


@kind(MappedSource)
def tiff_page_by_page(folder: Path) -> Source:
    with tifffile.TiffWriter(folder / "a.tif", bigtiff=True) as file:
        for frame in FRAMES:
            file.write(frame, contiguous=False)
    return opened(folder / "a.tif")


@kind(TiffPagesSource)
def tiff_pages_at_uneven_places(folder: Path) -> Source:
    with tifffile.TiffWriter(folder / "a.tif", byteorder=">") as file:
        for number, frame in enumerate(FRAMES):
            file.write(frame, contiguous=False, description="x" * 5 * number)
    return opened(folder / "a.tif")


@kind(TiffPagesSource)
def tiff_strips_deflate(folder: Path) -> Source:
    options = {"compression": "zlib", "predictor": True, "rowsperstrip": 10}
    tifffile.imwrite(folder / "a.tif", FRAMES, **options)
    return opened(folder / "a.tif")


@kind(TiffPagesSource)
def tiff_pages_deflate(folder: Path) -> Source:
    with tifffile.TiffWriter(folder / "a.tif") as file:
        for frame in FRAMES:
            file.write(frame, contiguous=False, compression="zlib")
    return opened(folder / "a.tif")


@kind(TiffPagesSource)
def tiff_tiles(folder: Path) -> Source:
    tifffile.imwrite(folder / "a.ome.tif", FRAMES, tile=(16, 16), metadata={"axes": "TYX"})
    return opened(folder / "a.ome.tif")


@kind(FolderSource)
def folder_of_tiff(folder: Path) -> Source:
    for number, frame in enumerate(FRAMES):
        tifffile.imwrite(folder / f"img{number}.tif", frame)
    return opened(folder)


@kind(FolderSource)
def folder_of_tiff_by_pillow(folder: Path) -> Source:
    for number, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / f"img{number}.tif")
    return opened(folder)


@kind(FolderSource)
def folder_of_compressed_tiff(folder: Path) -> Source:
    for number, frame in enumerate(FRAMES):
        tifffile.imwrite(folder / f"img{number}.tif", frame, compression="zlib")
    return opened(folder)


@kind(FolderSource)
def folder_of_png(folder: Path) -> Source:
    for number, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / f"img{number}.png")
    return opened(folder)


@kind(DaskSource)
def dask_array(folder: Path) -> Source:
    return DaskSource(da.from_array(FRAMES, chunks=(2, 16, 8)))


@kind(ArraySource)
def array(folder: Path) -> Source:
    return ArraySource(FRAMES)


@kind(ZarrSource)
def view_of_a_file(folder: Path) -> Source:
    zarr.create_array(folder / "a.zarr", data=FRAMES, chunks=(2, 16, 8), zarr_format=3)
    return stack_of(SourceView(opened(folder / "a.zarr"))).source


@kind(PackedSource)
def deflated(folder: Path) -> Source:
    packed = zlib.compress(b"a header" + FRAMES.tobytes())
    (folder / "a.bin").write_bytes(b"before" + packed + b"behind")
    span = (6, 6 + len(packed))
    return PackedSource(str(folder / "a.bin"), FRAMES.shape, FRAMES.dtype.str, span, 8, 15)


@kind(JoinedSource)
def joined(folder: Path) -> Source:
    parts = []
    for start, stop in ((0, 4), (4, 5), (5, 9)):
        np.save(folder / f"{start}.npy", FRAMES[start:stop])
        parts.append(opened(folder / f"{start}.npy"))
    return JoinedSource(tuple(parts), (4, 1, 4))


@kind(GatheredSource)
def gathered(folder: Path) -> Source:
    # Some formats pad their arrays.
    padded = np.pad(FRAMES, ((0, 0), (0, 3), (0, 2)))
    for number, frame in enumerate(padded):
        np.save(folder / f"{number}.npy", frame)
    parts = tuple(opened(folder / f"{number}.npy") for number in range(9))
    return GatheredSource(parts, (9,), FRAMES.shape[1:])


@kind(NearestSource)
def on_another_grid(folder: Path) -> Source:
    # On the grid that is drawn on, pixels are half as large, and it begins elsewhere.
    np.save(
        folder / "a.npy",
        np.pad(FRAMES.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (3, 0), (0, 0))),
    )
    matrix = np.array([[1, 0, 0, 0], [0, 2, 0, 3.5], [0, 0, 2, 0.5], [0, 0, 0, 1.0]])
    return NearestSource(opened(folder / "a.npy"), FRAMES.shape, matrix)


@pytest.fixture(scope="module", params=KINDS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    writer, expected = KINDS[request.param]
    source = writer(tmp_path_factory.mktemp("frames"))
    assert type(source) is expected
    return source


class TestEverySource(SourceContract):
    @pytest.fixture
    def source(self, written: Source) -> Source:
        return written


FORMATS = ("npy", "npz", "mat", "hdf5", "zarr", "tiff", "folder")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counted through /proc")
@pytest.mark.parametrize("name", [each for each in KINDS if each.startswith(FORMATS)])
def test_opening_leaves_no_file_open(name: str, tmp_path: Path) -> None:
    writer, _ = KINDS[name]
    (path,) = writer(tmp_path).paths[:1]
    where = tmp_path if name.startswith("folder") else Path(path)
    held = open_below(tmp_path)
    for _ in range(5):
        assert open_stack(where).shape == FRAMES.shape
    assert open_below(tmp_path) <= held


def open_below(folder: Path) -> int:
    """Open files in a folder: other threads of the tests open files of their own."""
    places = []
    for each in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            places.append(os.readlink(f"/proc/self/fd/{each}"))
    return sum(place.startswith(str(folder)) for place in places)
