"""Volumes that shrink are means over their footprints; labels go by the majority."""

from __future__ import annotations

import numpy as np
import pytest

from napari_framewise.numerics.warp import samples_of, volume_labels, volume_mean
from napari_framewise.stacks.source import Array

SHAPE = (6, 12, 16)


def shrunk(factors: tuple[int, int, int]) -> tuple[object, object, tuple[int, ...]]:
    scale = np.array(factors, float)
    shape = tuple(n // f for n, f in zip(SHAPE, factors, strict=True))
    return (
        lambda p: p * scale + (scale - 1) / 2,
        lambda p: np.tile(np.diag(scale), (len(p), 1, 1)),
        shape,
    )


def in_blocks(volume: Array, factors: tuple[int, int, int]) -> Array:
    parts = [k for n, f in zip(SHAPE, factors, strict=True) for k in (n // f, f)]
    return np.moveaxis(volume.reshape(parts), (1, 3, 5), (3, 4, 5))


@pytest.mark.parametrize("factors", [(1, 2, 4), (3, 4, 2), (2, 1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whole_factors_give_the_exact_mean(factors: tuple[int, int, int], dtype: type) -> None:
    volume = np.random.default_rng(0).normal(10, 3, SHAPE).astype(dtype)
    pull_back, jacobian, shape = shrunk(factors)
    samples = samples_of(jacobian, shape)
    assert samples == factors
    found = volume_mean(volume[None], pull_back, shape, samples)[0]
    assert found.dtype == dtype
    np.testing.assert_allclose(found, in_blocks(volume, factors).mean((3, 4, 5)), rtol=1e-5)


def test_gaps_have_no_say_and_voxels_without_half_are_no_data() -> None:
    volume = np.random.default_rng(0).normal(10, 3, SHAPE)
    gaps = np.zeros(SHAPE, bool)
    gaps[0, 0, 0] = True
    gaps[:, 2:4, :3] = True
    pull_back, jacobian, shape = shrunk((1, 2, 2))
    answers = []
    for value in (np.nan, np.inf):
        given = np.where(gaps, value, volume)
        answers.append(volume_mean(given[None], pull_back, shape, samples_of(jacobian, shape))[0])
    blocks = np.where(in_blocks(gaps, (1, 2, 2)), np.nan, in_blocks(volume, (1, 2, 2)))
    known = (~in_blocks(gaps, (1, 2, 2))).mean((3, 4, 5))
    expected = np.where(
        known >= 0.5, np.nansum(blocks, (3, 4, 5)) / np.maximum(4 * known, 1), np.nan
    )
    for found in answers:
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_labels_go_by_the_majority() -> None:
    labels = np.random.default_rng(1).integers(0, 3, SHAPE).astype(np.uint16)
    pull_back, jacobian, shape = shrunk((3, 3, 4))
    found = volume_labels(labels, pull_back, shape, samples_of(jacobian, shape))
    blocks = in_blocks(labels, (3, 3, 4)).reshape(*shape, -1)
    expected = np.array(
        [np.bincount(each, minlength=3).argmax() for each in blocks.reshape(-1, 36)]
    ).reshape(shape)
    assert found.dtype == labels.dtype
    np.testing.assert_array_equal(found, expected)


def test_a_map_that_magnifies_needs_one_sample() -> None:
    assert samples_of(lambda p: np.tile(0.5 * np.eye(3), (len(p), 1, 1)), SHAPE) == (1, 1, 1)
    assert samples_of(lambda p: np.full((len(p), 3, 3), np.nan), SHAPE) == (1, 1, 1)
