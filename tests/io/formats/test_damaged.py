"""Files with wrong bytes anywhere: one sentence that names the file, or pixels; never a crash."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_framewise.io import open_stack

FRAMES = np.random.default_rng(11).integers(0, 9999, (6, 16, 12)).astype(np.uint16)


def pages(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        for frame in FRAMES:
            file.write(frame, contiguous=False)


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=FRAMES, chunks=(2, 16, 12), compression="gzip")


WRITERS: dict[str, Callable[[Path], Any]] = {
    "a.npy": lambda path: np.save(path, FRAMES),
    "a.npz": lambda path: np.savez(path, x=FRAMES),
    "b.npz": lambda path: np.savez_compressed(path, x=FRAMES),
    "a.tif": lambda path: tifffile.imwrite(path, FRAMES),
    "b.tif": lambda path: tifffile.imwrite(path, FRAMES, compression="zlib", rowsperstrip=4),
    "c.tif": pages,
    "d.tif": lambda path: tifffile.imwrite(path, FRAMES, imagej=True),
    "e.ome.tif": lambda path: tifffile.imwrite(path, FRAMES, metadata={"axes": "TYX"}),
    "a.h5": hdf5,
    "a.mat": lambda path: scipy.io.savemat(path, {"x": FRAMES}),
    "b.mat": lambda path: scipy.io.savemat(path, {"x": FRAMES}, do_compression=True),
    "a.png": lambda path: Image.fromarray(FRAMES[0]).save(path),
    "a.gif": lambda path: Image.fromarray(FRAMES[0].astype(np.uint8)).save(path),
}

# Headers are where a wrong byte does most, and they are at the beginning of most formats.
DAMAGE = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 1), st.integers(0, 400)), st.sampled_from([0, 1, 4, 127, 255])
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module", params=WRITERS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / request.param
    WRITERS[request.param](path)
    return path


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE)
def test_wrong_bytes_are_told_in_one_sentence(
    whole: Path, tmp_path: Path, damage: list[tuple[float, int]]
) -> None:
    content = bytearray(whole.read_bytes())
    for place, value in damage:
        at = int(place * (len(content) - 1)) if isinstance(place, float) else place
        content[min(at, len(content) - 1)] = value
    path = tmp_path / f"damaged-{whole.name}"
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    with warnings.catch_warnings():
        # Libraries may warn of what they find; what counts is what comes of it.
        warnings.simplefilter("ignore")
        try:
            source = open_stack(path).source
            if math.prod(source.shape) < 10**7:
                source.read(tuple(slice(0, length, 1) for length in source.shape))
        except ValueError as error:
            assert path.name in str(error)  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
