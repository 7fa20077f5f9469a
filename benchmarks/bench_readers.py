"""Readers against their peers and against the limit, which is opening and reading every file.

Run: python benchmarks/bench_readers.py [FILES]

Prints microseconds a file and ratios; a peer that is not installed is left out.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import tifffile
from PIL import Image

from napari_framewise.io import layer_data, open_stack
from napari_framewise.stacks.stack import Stack

SHAPE = (64, 64)


def best(calls: dict[str, Callable[[], Any]], repeats: int = 7) -> dict[str, float]:
    """Least seconds of each call, in rounds, so that a busy moment meets all of them."""
    least = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            least[name] = min(least[name], time.perf_counter() - began)
    return least


def table(
    ours: dict[str, Callable[[], Any]],
    peers: dict[str, Callable[[], Any]],
    count: int,
    unit: str = "file",
) -> None:
    """Lines of a comparison; the first call is the limit."""
    seconds = best(ours) | best(peers, 1)
    limit = next(iter(seconds.values()))
    for name, each in seconds.items():
        line(name, each, count, limit, unit)


def line(name: str, seconds: float, count: int, limit: float, unit: str = "file") -> None:
    print(
        f"  {name:<46}{seconds / count * 1e6:10.1f} us/{unit}"
        f"{(seconds - limit) / count * 1e6:10.1f} beyond{seconds / limit:9.1f} x"
    )


def whole(stack: Stack) -> np.ndarray:
    return stack.source.read(tuple(slice(0, length, 1) for length in stack.source.shape))


def open_and_read(paths: list[str]) -> None:
    for path in paths:
        with open(path, "rb") as file:
            file.read()


def folder_peers(folder: Path, paths: list[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "tifffile loop", lambda: np.stack([tifffile.imread(path) for path in paths])
    yield "tifffile.imread(list)", lambda: tifffile.imread(paths)
    yield "imageio loop", lambda: np.stack([imageio.imread(path) for path in paths])
    yield "PIL loop", lambda: np.stack([np.asarray(Image.open(path)) for path in paths])
    with suppress(ImportError):
        from dask.array.image import imread

        yield (
            "dask.array.image.imread",
            lambda: imread(f"{folder}/*.tif").compute(scheduler="synchronous"),
        )
    with suppress(ImportError):
        from dask_image.imread import imread as dask_imread

        yield (
            "dask_image.imread",
            lambda: dask_imread(f"{folder}/*.tif").compute(scheduler="synchronous"),
        )
    with suppress(ImportError):
        from napari_builtins.io import magic_imread

        yield (
            "napari's folder reader",
            lambda: np.asarray(magic_imread(str(folder), use_dask=True)),
        )


def tiff_folder(count: int) -> None:
    """Opening and reading thousands of small TIFF files."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 4000, (count, *SHAPE)).astype(np.uint16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, frame in enumerate(frames):
            tifffile.imwrite(folder / f"img{number}.tif", frame)
        paths = [str(folder / f"img{number}.tif") for number in range(count)]
        print(f"{count:,} TIFF files of 64 x 64 uint16, all read")
        stack = open_stack(folder)
        assert np.array_equal(whole(stack), frames)
        ours = {
            "open and read the bytes (the limit)": lambda: open_and_read(paths),
            "napari-framewise, open stack": lambda: open_stack(folder),
            "napari-framewise, read": lambda: whole(stack),
            "napari-framewise, open stack and read": lambda: whole(open_stack(folder)),
        }
        table(ours, dict(folder_peers(folder, paths)), count)


def png_folder(count: int) -> None:
    """Opening and reading thousands of small PNG files."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 4000, (count, *SHAPE)).astype(np.uint16)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [str(folder / f"img{number}.png") for number in range(count)]
        for path, frame in zip(paths, frames, strict=True):
            Image.fromarray(frame).save(path)
        print(f"{count:,} PNG files of 64 x 64 uint16, all read")
        stack = open_stack(folder)
        assert np.array_equal(whole(stack), frames)
        ours = {
            "open and read the bytes (the limit)": lambda: open_and_read(paths),
            "napari-framewise, open stack": lambda: open_stack(folder),
            "napari-framewise, read": lambda: whole(stack),
            "PIL loop": lambda: [np.asarray(Image.open(path)) for path in paths],
        }
        table(ours, {"imageio loop": lambda: [imageio.imread(path) for path in paths]}, count)


def slider_steps() -> None:
    """A step of napari's slider by number of files."""
    from napari.components import ViewerModel
    from napari_builtins.io import magic_imread

    frame = np.random.default_rng(0).integers(0, 4000, SHAPE).astype(np.uint16)
    print("one step of the slider, by number of files")
    for count in (500, 1000, 2000, 4000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(count):
                tifffile.imwrite(folder / f"img{number:05d}.tif", frame)
            data, options = layer_data(open_stack(folder))
            theirs = magic_imread(str(folder), use_dask=True)
            numbers = range(0, count, 7)
            read = best({"": partial(read_frames, data, numbers)})[""] / len(numbers)
            ours = step_of(ViewerModel(), data, options)
            napari = step_of(ViewerModel(), theirs, {})
            print(
                f"  {count:>6,} files: reading a frame {read * 1e6:5.0f} us; in a viewer "
                f"{ours * 1e3:7.2f} ms, napari's folder reader {napari * 1e3:7.1f} ms "
                f"({napari / ours:.0f} x)"
            )


def read_frames(data: Any, numbers: range) -> None:
    for number in numbers:
        data[number]


def step_of(viewer: Any, data: Any, options: dict[str, Any]) -> float:
    """Median seconds of a slider step in a viewer without a window."""
    viewer.add_image(data, **{"contrast_limits": (0, 4000), **options})
    seconds = []
    for number in range(1, 60):
        began = time.perf_counter()
        viewer.dims.set_point(0, number * 7)
        np.asarray(viewer.layers[0]._slice.image.view)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def page_by_page(count: int) -> None:
    """A file that was written page by page."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 4000, (count, *SHAPE)).astype(np.uint16)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pages.tif"
        with tifffile.TiffWriter(path) as file:
            for frame in frames:
                file.write(frame, contiguous=False)
        print(f"one TIFF file of {count:,} pages written one by one")
        stack = open_stack(path)
        assert np.array_equal(whole(stack), frames)
        ours = {
            "read the bytes (the limit)": path.read_bytes,
            "napari-framewise, open stack": lambda: open_stack(path),
            "napari-framewise, read": lambda: whole(stack).copy(),
        }
        peers = {
            "tifffile, series": lambda: series_of(path),
            "tifffile, all pages": lambda: pages_of(path),
        }
        table(ours, peers, count, "page")
        first = tifffile.imread(path)
        print(f"  tifffile.imread gives the shape {first.shape}, ours is {stack.shape}")


def series_of(path: Path) -> int:
    with tifffile.TiffFile(path) as file:
        return len(file.series)


def pages_of(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        return np.stack([page.asarray() for page in file.pages])


def main() -> None:
    logging.disable(logging.WARNING)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    tiff_folder(count)
    png_folder(count)
    page_by_page(count)
    slider_steps()


if __name__ == "__main__":
    main()
