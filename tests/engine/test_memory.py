"""A stack larger than the memory that the process is given goes through, within the budget."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

# The child imports and warms up first: what that takes is not the engine's.
CHILD = """
import resource, sys
from tests.engine import computations as do
from napari_framewise.engine import Engine
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.results import write_frames
from napari_framewise.stacks.sources.zarrs import ZarrSource
from napari_framewise.stacks.stack import Selection, stack_of
from napari_framewise.engine.work import Cost, MapFrames, MapTiles, Reduce
import numpy as np

MIB = 2**20
folder, frames = sys.argv[1], int(sys.argv[2])
source = ZarrSource(folder + "/in.zarr", "0", (frames, 256, 256), "<u2", (8, 256, 256))
stack, engine = stack_of(source), Engine.local(2)

def finish(generator):
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value

def work(stack, name):
    sums = finish(run_pass(MapFrames(), do.frame_sums, [stack], engine=engine))
    total = finish(run_pass(Reduce(), do.float_sum, [stack], merge=do.add, engine=engine))
    assert np.isclose(np.concatenate(sums).sum(), total.sum())
    finish(run_pass(MapTiles(), do.time_means, [stack], engine=engine))
    lazy = LazyFrames(stack, do.negative, dtype=np.int32)
    finish(write_frames(lazy, folder + "/" + name, engine=engine))

def kib(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return int(line.split()[1])

once = "all at once" in sys.argv
work(stack.select(Selection(frames=(0, 64, 1))), f"warm{once}.zarr")
before = kib("VmRSS")
limit = kib("VmData") * 1024 + int(sys.argv[3]) * MIB
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
if once:
    stack.read(0, frames)
work(stack, "out.zarr")
print("grew", kib("VmHWM") - before)
"""
FRAMES = 2400
GIVEN_MIB = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 MiB in chunks of eight frames, which are little on the disk."""
    folder = tmp_path_factory.mktemp("memory")
    array = zarr.create_array(
        str(folder / "in.zarr"),
        name="0",
        shape=(FRAMES, 256, 256),
        chunks=(8, 256, 256),
        dtype="u2",
    )
    for start in range(0, FRAMES, 600):
        numbers = np.arange(start, min(start + 600, FRAMES), dtype=np.uint16)
        array[start : start + 600] = np.broadcast_to(numbers[:, None, None], (600, 256, 256))
    return folder


def child(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(FRAMES), str(GIVEN_MIB), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_DATA and /proc")
def test_a_stack_larger_than_memory_goes_through(folder: Path) -> None:
    run = child(folder)
    assert run.returncode == 0, run.stderr
    # 96 MiB of blocks; 32 MiB for what the allocator keeps.
    assert int(run.stdout.split()[-1]) < (96 + 32) * 1024
    written = zarr.open_array(str(folder / "out.zarr"), path="0", mode="r")
    assert (written[-1] == 1 - FRAMES).all()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs RLIMIT_DATA and /proc")
def test_the_memory_given_is_less_than_the_stack(folder: Path) -> None:
    assert "MemoryError" in child(folder, "all at once").stderr
