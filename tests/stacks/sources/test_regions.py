"""Every source reads any region of what another library wrote, also after it was pickled."""

from __future__ import annotations

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
from napari_framewise.stacks.source import Source
from napari_framewise.stacks.sources.dasks import DaskSource
from napari_framewise.stacks.sources.folder import FolderSource
from napari_framewise.stacks.sources.hdf5 import Hdf5Source
from napari_framewise.stacks.sources.loaded import LoadedSource
from napari_framewise.stacks.sources.mapped import MappedSource
from napari_framewise.stacks.sources.tiff_pages import TiffPagesSource
from napari_framewise.stacks.sources.transposed import TransposedSource
from napari_framewise.stacks.sources.zarrs import ZarrSource

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
