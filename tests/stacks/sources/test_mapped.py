"""Mapped files: strides, and memory that is given back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_framewise.stacks.sources.mapped import mapped_extent, mapped_source, strides_of

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)


@given(SHAPES, st.sampled_from(["u1", "f4", "c16"]), st.booleans())
def test_strides_are_numpys(shape: tuple[int, ...], dtype: str, fortran: bool) -> None:
    array = np.empty(shape, dtype, order="F" if fortran else "C")
    strides = strides_of(shape, array.itemsize, fortran)
    theirs = tuple(s for s, length in zip(array.strides, shape, strict=True) if length > 1)
    assert tuple(s for s, length in zip(strides, shape, strict=True) if length > 1) == theirs
    assert mapped_extent(shape, strides, array.itemsize) == array.nbytes


def test_an_array_anywhere_in_a_file(tmp_path: Path) -> None:
    frames = np.arange(60, dtype=">i4").reshape(3, 4, 5)
    path = tmp_path / "raw.bin"
    path.write_bytes(b"123" + frames.tobytes())
    source = mapped_source(str(path), frames.shape, frames.dtype, 3)
    block = source.read((slice(1, 3, 1), slice(0, 4, 3), slice(2, 5, 1)))
    assert block.flags.aligned
    np.testing.assert_array_equal(block, frames[1:3, 0:4:3, 2:5])
    with pytest.raises(ValueError, match=r"raw\.bin is cut off: .* 244 bytes and it has 243"):
        mapped_source(str(path), frames.shape, frames.dtype, 4)


MEASURED = """
import resource, sys
from pathlib import Path
from napari_framewise.io import open_stack, write_image
from napari_framewise.engine import Engine

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

path, engine = Path(sys.argv[1]), Engine.local(2)
stack = open_stack(path)
stack.read(0, 64).sum()
list(write_image(open_stack(path.with_name("small.npy")), path.with_name("b.tif"), engine=engine))
before = peak()
total = sum(int(stack.read(n, n + 64).sum(dtype="u8")) for n in range(0, stack.n_frames, 64))
read = peak() - before
list(write_image(stack, path.with_name("a.tif"), engine=engine))
print(total, read, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_reading_and_writing_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    large = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint16, (2400, 256, 256))
    large[::7] = 3
    large.flush()
    del large
    np.save(tmp_path / "small.npy", np.zeros((10, 256, 256), np.uint16))
    run = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path / "a.npy")],
        capture_output=True,
        text=True,
        check=True,
    )
    total, read, both = map(float, run.stdout.split())
    assert total == 343 * 256 * 256 * 3
    assert read < 32
    assert both < 96
