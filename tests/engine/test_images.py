"""Images that differ in size, and pairs: the same answers as from a stack, wherever they run."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.engine.conftest import Drain
from tests.helpers import likeness

from napari_framewise.engine import Engine
from napari_framewise.engine.images import run_images, run_pairs
from napari_framewise.engine.pairs import open_pairs
from napari_framewise.engine.progress import finish
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.io.opening import open_stack
from napari_framewise.io.ragged import open_images
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of


def sums(images: Array) -> list[float]:
    return [float(image.astype(float).sum()) for image in images]


def total(images: Array) -> float:
    return float(images.astype(float).sum())


def add(one: float, other: float) -> float:
    return one + other


def products(rows: Array, columns: Array, *, out: Array) -> None:
    out[...] = [[float((a * b).sum()) for b in columns] for a in rows]


def differences(rows: Array, columns: Array, *, out: Array) -> None:
    out[...] = [[float(a.sum() - 2 * b.sum()) for b in columns] for a in rows]


@pytest.fixture
def ragged(tmp_path: Path) -> tuple[RaggedStack, list[Array]]:
    rng = np.random.default_rng(6)
    images = [rng.integers(0, 255, (5 + n % 3, 6 + n % 4)).astype(np.uint8) for n in range(23)]
    for number, image in enumerate(images):
        tifffile.imwrite(tmp_path / f"{number:02}.tif", image)
    opened = open_images(tmp_path)
    assert isinstance(opened, RaggedStack)
    return opened, images


def test_every_image_is_mapped_and_reduced(
    engine: Engine, ragged: tuple[RaggedStack, list[Array]], drain: Drain
) -> None:
    opened, images = ragged
    wanted = [float(image.sum(dtype=float)) for image in images]
    found, _ = drain(run_images(MapFrames(), sums, opened, engine=engine))
    assert [value for values in found for value in values] == wanted
    found, _ = drain(run_images(Reduce(), total, opened, engine=engine, merge=add))
    assert found == sum(wanted)


def test_pairs_of_images_that_differ_in_size(
    engine: Engine, ragged: tuple[RaggedStack, list[Array]], drain: Drain
) -> None:
    opened, images = ragged
    thumbnails = np.stack([likeness.thumbnail(image, 4) for image in images])
    matrix = np.full((23, 23), np.nan)
    into = MemorySink(matrix)
    drain(
        run_pairs(
            likeness.correlate, opened, (4,), engine=engine, into=into,
            cost=Cost(output=8, seconds=5e-3),
        )
    )  # fmt: skip
    np.testing.assert_allclose(matrix, thumbnails @ thumbnails.T, atol=1e-14)
    np.testing.assert_array_equal(matrix, matrix.T)


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_matrix_on_disk_is_the_one_in_memory(
    engine: Engine, drain: Drain, tmp_path: Path, symmetric: bool
) -> None:
    rng = np.random.default_rng(2)
    frames = rng.integers(0, 9, (560, 2, 2)).astype(float)
    function = products if symmetric else differences
    flat = frames.reshape(560, 4)
    totals = flat.sum(axis=1)
    wanted = flat @ flat.T if symmetric else totals[:, None] - 2 * totals
    sink = open_pairs(tmp_path / "pairs.ome.zarr", 560)
    stack = stack_of(frames)
    drain(run_pairs(function, stack, engine=engine, into=sink, symmetric=symmetric))
    sink.complete()
    opened = open_stack(tmp_path / "pairs.ome.zarr")
    np.testing.assert_array_equal(opened.frame(0), wanted)
    memory = np.zeros((560, 560))
    drain(run_pairs(function, stack, engine=engine, into=MemorySink(memory), symmetric=symmetric))
    np.testing.assert_array_equal(memory, wanted)


def outer(rows: Array, columns: Array, *, out: Array) -> None:
    out[...] = rows.reshape(len(rows), -1) @ columns.reshape(len(columns), -1).T


def test_a_matrix_beyond_the_budget_never_stands_in_memory(drain: Drain, tmp_path: Path) -> None:
    numbers = np.arange(2500.0)
    stack = stack_of(numbers.reshape(-1, 1, 1))
    whole = 8 * len(numbers) ** 2
    with Engine.local(2) as local:
        engine = Engine(local.executor, whole // 4)
        sink = open_pairs(tmp_path / "pairs.ome.zarr", len(numbers))
        tracemalloc.start()
        try:
            drain(run_pairs(outer, stack, engine=engine, into=sink))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        sink.complete()
    assert peak < 0.75 * whole
    found = open_stack(tmp_path / "pairs.ome.zarr").source
    for row in (0, 511, 512, 2499):
        line = found.read((slice(row, row + 1), slice(0, len(numbers))))
        np.testing.assert_array_equal(line[0], row * numbers)


def test_an_unfinished_matrix_is_gone_on_with(tmp_path: Path) -> None:
    stack = stack_of(np.arange(1200.0).reshape(1200, 1, 1))
    place = tmp_path / "pairs.ome.zarr"
    with Engine.local(1) as engine:
        sink = open_pairs(place, 1200, fingerprint="same")
        steps = run_pairs(products, stack, engine=engine, into=sink, cost=Cost(output=8))
        items = 0
        for progress in steps:
            items = progress.total
            if progress.done:
                break
        steps.close()
        again = open_pairs(place, 1200, fingerprint="same")
        rest = run_pairs(products, stack, engine=engine, into=again, cost=Cost(output=8))
        left = next(rest).total
        assert left <= items
        finish(rest, lambda _: None)
        again.complete()
    flat = np.arange(1200.0)
    np.testing.assert_array_equal(open_stack(place).frame(0), np.outer(flat, flat))
    with pytest.raises(FileExistsError, match="already exists"):
        open_pairs(place, 1200, fingerprint="same")


def scaled(images: Array | list[Array], weights: Array, power: int) -> list[Array]:
    return [
        image.astype(float) ** power * w for image, w in zip(images, weights.ravel(), strict=True)
    ]


def prepared_products(rows: list[Array], columns: list[Array], power: int, *, out: Array) -> None:
    out[...] = [[float(a.sum() * b.sum()) for b in columns] for a in rows]


def same_object(rows: list[Array], columns: list[Array], power: int) -> tuple[bool, int, int]:
    return rows is columns, len(rows), len(columns)


def test_images_of_a_tile_are_prepared_once_with_what_stands_beside_them(
    engine: Engine, ragged: tuple[RaggedStack, list[Array]], drain: Drain
) -> None:
    opened, images = ragged
    weights = np.arange(1.0, 24.0)
    beside = (stack_of(weights[:, None], axes=("t", "n")),)
    frames = np.random.default_rng(1).integers(0, 9, (23, 4, 5))
    for given, arrays in ((opened, images), (stack_of(frames), list(frames))):
        squares = np.array([(each.astype(float) ** 2).sum() for each in arrays])
        expected = weights * squares
        matrix = np.zeros((23, 23))
        drain(
            run_pairs(prepared_products, given, (2,), engine=engine, into=MemorySink(matrix),
                      prepare=scaled, beside=beside, side=7)
        )  # fmt: skip
        np.testing.assert_array_equal(matrix, np.outer(expected, expected))
        tiles, _ = drain(
            run_pairs(same_object, given, (2,), engine=engine, prepare=scaled, beside=beside,
                      side=7, cost=Cost(seconds=1.0))
        )  # fmt: skip
        sides = [rows for same, rows, _ in tiles if same]
        assert sum(sides) == 23
        assert (
            sum(rows * columns for same, rows, columns in tiles if not same)
            == (23**2 - sum(side**2 for side in sides)) // 2
        )
        assert max(sides) <= 7
