from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_framewise.stacks.sources import hdf5_chunks
from napari_framewise.stacks.sources.hdf5_chunks import read_region

DTYPES = ("u1", "<u2", ">u2", "<i4", "<f4", ">f8", "bool", "f2", "i8")


@pytest.mark.parametrize("harmless", [hdf5_chunks._HARMLESS, -(2**40)])
def test_regions_are_those_that_h5py_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harmless: int
) -> None:
    # Whatever may inflate is unpacked here: first nothing, then everything.
    monkeypatch.setattr(hdf5_chunks, "_HARMLESS", harmless)
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for number in range(40):
            shape = tuple(int(n) for n in rng.integers(1, 30, rng.integers(1, 4)))
            data = file.create_dataset(
                str(number),
                shape,
                DTYPES[number % len(DTYPES)],
                chunks=tuple(int(rng.integers(1, n + 1)) for n in shape),
                compression="lzf" if number % 4 == 3 else "gzip",
                shuffle=bool(rng.integers(2)),
                fletcher32=bool(rng.integers(2)),
                fillvalue=int(rng.integers(2)),
            )
            # Some chunks are never written.
            written = tuple(slice(0, n if number % 3 else n // 2) for n in shape)
            data[written] = rng.integers(0, 100, data[written].shape).astype(data.dtype)
            for _ in range(6):
                starts = [int(rng.integers(n)) for n in shape]
                region = tuple(
                    slice(start, int(rng.integers(start, n + 1)), int(rng.integers(1, 5)))
                    for start, n in zip(starts, shape, strict=True)
                )
                expected, got = data[region], read_region(data, region)
                assert expected.dtype == got.dtype
                np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_chunk_that_inflates_is_refused(tmp_path: Path, *, shuffle: bool) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset(
            "x", (2, 8, 8), "u2", chunks=(1, 8, 8), compression="gzip", shuffle=shuffle
        )
        data[1] = 3
        data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(2**27), 1))
        whole = slice(0, 8)
        with pytest.raises(ValueError, match="becomes more bytes than a chunk"):
            read_region(data, (slice(0, 1), whole, whole))
        assert (read_region(data, (slice(1, 2), whole, whole)) == 3).all()
