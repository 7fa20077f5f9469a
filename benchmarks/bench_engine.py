"""The engine against plain NumPy, dask and zarr: overhead, cancel, slider steps, memory, writing.

Run: python benchmarks/bench_engine.py

A = 10,000 x 64 x 64, B = 96,108 x 7 x 7, C = 2,000 x 256 x 256, all uint16. Times are the least of
a few runs; the ratios are what to look at, for they stand the neighbours of a shared machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import zarr
from distributed import Client, LocalCluster

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.results import write_frames
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.stacks.sources.zarrs import ZarrSource
from napari_framewise.stacks.stack import Selection, Stack, stack_of

MIB = 2**20
SHAPES = {"A": (10_000, 64, 64), "B": (96_108, 7, 7), "C": (2_000, 256, 256)}
SLICE_FRAMES = 4096
WORKERS = 2


def made(name: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, SHAPES[name], dtype=np.uint16)


def frame_sums(block: np.ndarray) -> np.ndarray:
    return block.sum(axis=(1, 2), dtype=np.float64)


def nothing(block: np.ndarray) -> None:
    """Leaves the engine's own part."""


def sum_image(block: np.ndarray) -> np.ndarray:
    return block.sum(axis=0, dtype=np.float64)


def add(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    one += other
    return one


def doubled(block: np.ndarray, *, out: np.ndarray) -> None:
    np.multiply(block, 2, out=out, dtype=out.dtype)


def two_milliseconds(block: np.ndarray) -> int:
    time.sleep(2e-3 * len(block))
    return len(block)


def finish(generator: Generator[Progress, None, Any]) -> Any:
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def best(function: Callable[[], Any], repeats: int = 5) -> float:
    """Least seconds of a few calls."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def line(name: str, seconds: float, against: float, digits: int = 1) -> None:
    print(f"  {name:<66}{seconds * 1e3:10.{digits}f} ms{seconds / against:9.2f} x")


def sums(stack: Stack, engine: Engine) -> list[np.ndarray]:
    return finish(run_pass(MapFrames(), frame_sums, [stack], engine=engine))


def sums_on(workers: int, stack: Stack) -> Callable[[], Any]:
    engine = Engine.local(workers)
    return lambda: sums(stack, engine)


def whole_stack(cluster: LocalCluster) -> None:
    print("B, sums of 96,108 tiny frames; limit: NumPy on the whole array at once")
    data = made("B")
    stack = stack_of(data)
    limit = best(lambda: frame_sums(data))
    line("NumPy, whole array, one thread", limit, limit)
    for workers in (1, WORKERS):
        line(f"engine, {workers} thread(s), with progress", best(sums_on(workers, stack)), limit)
    blocks = da.from_array(data, chunks=(SLICE_FRAMES, 7, 7))
    lazy_sums = blocks.map_blocks(frame_sums, drop_axis=(1, 2), dtype=float)
    with dask.config.set(num_workers=WORKERS):
        line(
            "dask threads, blocks of 4,096",
            best(lambda: lazy_sums.compute(scheduler="threads")),
            limit,
        )
        few = da.from_array(data[:2000], chunks=(1, 7, 7))
        single = few.map_blocks(frame_sums, drop_axis=(1, 2), dtype=float)
        seconds = best(lambda: single.compute(scheduler="threads"), 1) * len(data) / 2000
        line("dask threads, one frame a block (from 2,000)", seconds, limit)
    with Engine.cluster(cluster.scheduler_address) as engine:
        seconds = best(lambda: sums(stack, engine))
        line("engine, LocalCluster of two processes, with progress", seconds, limit)
        gap, closing = cancelled(engine)
        line("  its cancel", closing, limit)
        line("  longest wait between two reports", gap, limit)
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        seconds = best(lambda: client.compute(lazy_sums, sync=True))
        line("dask.array on it, blocks of 4,096", seconds, limit)


def cancelled(engine: Engine) -> tuple[float, float]:
    """Longest wait between two reports of a run, and how long its end takes, in seconds."""
    stack = stack_of(made("A"))
    gaps, closings = [0.0], []
    for _ in range(5):
        running = run_pass(MapFrames(), two_milliseconds, [stack], engine=engine)
        next(running)
        began = told = time.perf_counter()
        while told - began < 0.5:
            next(running)
            now = time.perf_counter()
            gaps.append(now - told)
            told = now
        running.close()
        closings.append(time.perf_counter() - told)
    return max(gaps), max(closings)


def cancel() -> None:
    print("Cancel in a run of 2 ms a frame, the worst of five; limit: 50 ms")
    gap, closing = cancelled(Engine.local(WORKERS))
    line("until close() is back and no block runs, threads", closing, 0.05)
    line("longest wait between two reports", gap, 0.05)


def overhead() -> None:
    print("Blocks of about 4 MiB on one thread; limit: a plain loop over the same blocks")
    data = made("C")
    stack, engine = stack_of(data), Engine.local(1)
    for name, work, function, merge in (
        ("map", MapFrames(), frame_sums, None),
        ("reduction", Reduce(), sum_image, add),
    ):
        plan = make_plan(work, [stack], Cost(), engine)
        limits = [block.frames for block in plan.blocks]

        def loop(function: Any = function, limits: Any = limits) -> None:
            for start, stop in limits:
                function(data[start:stop])

        def engine_pass(work: Any = work, function: Any = function, merge: Any = merge) -> None:
            finish(run_pass(work, function, [stack], engine=engine, merge=merge))

        # In turns, for both to meet the same neighbours.
        seconds = [(best(loop, 1), best(engine_pass, 1)) for _ in range(9)]
        limit, taken = (min(each) for each in zip(*seconds, strict=True))
        line(f"plain loop, {name}, blocks of {plan.size} frames", limit, limit)
        line(f"engine, {name}", taken, limit)
    empty = best(lambda: finish(run_pass(MapFrames(), nothing, [stack], engine=engine)), 9)
    line("engine, with a function that does nothing", empty, limit)


def slider() -> None:
    print("Slider steps through B doubled, median of 300 taken in turns; limit: lazy frames")
    data = made("B")
    rng = np.random.default_rng(1)
    walks = {
        "at random": rng.integers(0, len(data), 300),
        "near by": np.cumsum(rng.integers(-3, 4, 300)) + 50_000,
    }
    for how, steps in walks.items():
        for size in (64, 1024):
            chunked = da.from_array(data, chunks=(size, 7, 7))
            arrays = {
                "NumPy, all computed": data * np.uint32(2),
                "lazy frames": LazyFrames(
                    stack_of(data), doubled, dtype=np.uint32, block_frames=size
                ),
                "dask": chunked.map_blocks(lambda block: block * np.uint32(2), dtype=np.uint32),
            }
            for place, opened in (("asarray(data[i])", indexed), ("ViewerModel", viewed)):
                medians = stepped({name: opened(array) for name, array in arrays.items()}, steps)
                for name, seconds in medians.items():
                    what = f"{name}, {how}, blocks of {size}, {place}"
                    line(what, seconds, medians["lazy frames"], 2)


def indexed(array: Any) -> Callable[[int], Any]:
    return lambda step: np.asarray(array[step])


def viewed(array: Any) -> Callable[[int], Any]:
    from napari.components import ViewerModel

    model = ViewerModel()
    model.add_image(array, contrast_limits=(0, 120_000))
    return lambda step: model.dims.set_current_step(0, step)


def stepped(shown: dict[str, Callable[[int], Any]], steps: np.ndarray) -> dict[str, float]:
    """Median seconds of a step of each."""
    seconds: dict[str, list[float]] = {name: [] for name in shown}
    for step in steps.tolist():
        for name, show in shown.items():
            began = time.perf_counter()
            show(step)
            seconds[name].append(time.perf_counter() - began)
    return {name: float(np.median(each)) for name, each in seconds.items()}


def kib(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(text.split()[1]) for text in file if text.startswith(name))


def measure_memory(name: str, folder: str) -> None:
    """In a process of its own: how far the memory grows beyond what a first small run took."""
    engine = Engine.local(WORKERS)
    if name == "zarr":
        array = zarr.open_array(folder, path="0", mode="r")
        stack = stack_of(ZarrSource(folder, "0", array.shape, "<u2", array.chunks))
    else:
        stack = stack_of(made(name))
    few = stack.select(Selection(frames=(0, 64, 1)))
    for chosen in (few, stack):
        before = kib("VmRSS")
        finish(run_pass(MapFrames(), frame_sums, [chosen], engine=engine))
        finish(run_pass(Reduce(), sum_image, [chosen], engine=engine, merge=add))
        if name == "zarr":
            lazy = LazyFrames(chosen, doubled, dtype=np.uint32)
            finish(write_frames(lazy, f"{folder}-{chosen.n_frames}", engine=engine))
    print((kib("VmHWM") - before) / 1024, stack.nbytes / MIB)


def memory(folder: Path) -> None:
    if not sys.platform.startswith("linux"):
        return
    print("Memory beyond the input and a first small run, in a process of its own; limit: 96 MiB")
    big = folder / "big.zarr"
    array = zarr.create_array(
        str(big), name="0", shape=(8000, 256, 256), chunks=(8, 256, 256), dtype="u2"
    )
    for start in range(0, 8000, 800):
        array[start : start + 800] = np.arange(start, start + 800, dtype=np.uint16)[:, None, None]
    for name in ("A", "C", "zarr"):
        run = subprocess.run(
            [sys.executable, __file__, "memory", name, str(big)],
            capture_output=True,
            text=True,
            check=True,
        )
        grew, size = (float(word) for word in run.stdout.split())
        what = f"{name} of {size:,.0f} MiB" + (", and written" if name == "zarr" else "")
        print(f"  {what:<66}{grew:9.1f} MiB{grew / 96:9.2f} x")


def writing(folder: Path) -> None:
    print("C doubled as float32 to sharded zarr; limit: zarr-python, same shards, one thread")
    data = made("C")
    lazy = LazyFrames(stack_of(data), doubled, dtype=np.float32)
    engine = Engine.local(WORKERS)
    seconds, count = [], 0
    for count in range(3):
        began = time.perf_counter()
        finish(write_frames(lazy, folder / f"{count}.zarr", engine=engine))
        seconds.append(time.perf_counter() - began)
    kept = zarr.open_array(str(folder / f"{count}.zarr"), path="0", mode="r")
    assert kept.shards is not None
    peer = zarr.create_array(
        str(folder / "peer.zarr"),
        shape=kept.shape,
        dtype=kept.dtype,
        chunks=kept.chunks,
        shards=kept.shards,
        compressors=kept.compressors,
    )

    def plain() -> None:
        for start in range(0, len(data), peer.shards[0]):
            block = data[start : start + peer.shards[0]]
            peer[start : start + len(block)] = block.astype(np.float32) * 2

    limit = best(plain, 2)
    line("zarr-python", limit, limit)
    line(f"engine ({lazy.nbytes / MIB / min(seconds):,.0f} MiB/s)", min(seconds), limit)
    running = write_frames(lazy, folder / "resumed.zarr", engine=engine, fingerprint="same")
    for progress in running:
        if progress.fraction > 0.5:
            break
    running.close()
    again = write_frames(lazy, folder / "resumed.zarr", engine=engine, fingerprint="same")
    began = time.perf_counter()
    first = next(again)
    finish(again)
    name = f"resumed: {first.total:,} of {len(data):,} frames were left"
    line(name, time.perf_counter() - began, limit)


def main() -> None:
    if sys.argv[1:2] == ["memory"]:
        measure_memory(*sys.argv[2:4])
        return
    with tempfile.TemporaryDirectory() as name:
        memory(Path(name))
        writing(Path(name))
    cancel()
    overhead()
    slider()
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        whole_stack(cluster)


if __name__ == "__main__":
    main()
