"""Where a frame looks like itself some pixels on, so that a motion may be another as well."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from napari_framewise.numerics.derivatives import gaussian_taps, smooth
from napari_framewise.numerics.pyramid import Level

Planes = NDArray[np.float32]
# Side of a tile, farthest distance looked at, and how far tiles lie apart at most, in pixels; the
# share of a tile up to which its windowed correlation serves, and up to which it is looked at.
_TILES, _REACH, _APART = {2: 64, 3: 32}, {2: 24, 3: 12}, 1.0
_PLAIN, _FAR = 3 / 8, 5 / 8
# Of the farther ones: the windowed correlation that asks for a look, and that of the overlap alone.
_PERHAPS, _SAME = 0.5, 0.93
# Correlation, less what noise takes from it, from which a place is a rival of another; what a tile
# must hold beyond noise, in variances of that.
_LIKE, _LEAST = 0.85, 1.0
_SMOOTHED = 1.0


def nearest_rival(levels: tuple[Level, ...], noise: float) -> Planes:
    """Distance in pixels to the nearest place that looks the same, (*grid); inf where none does.

    By the autocorrelation of tiles of the first level and of one of a third of its size: a lattice
    that moves by a part of its period looks as if it had moved the rest of it back. `noise` is the
    standard deviation of the first level's white noise.
    """
    finest = levels[0]
    found: Planes = np.full(finest.shape, np.inf, np.float32)
    coarser = [level for level in levels if max(level.step) >= 3][:1]
    for level in (finest, *coarser):
        step = max(level.step)
        near = np.float32(step) * _of_level(level, noise / float(np.prod(level.step)) ** 0.5)
        at = [
            np.minimum(np.arange(length) * size // length, size - 1)
            for length, size in zip(finest.shape, near.shape, strict=True)
        ]
        np.minimum(found, near[np.ix_(*at)], out=found)
    return found


def _of_level(level: Level, noise: float) -> Planes:
    """The distance for each tile of a level, on the grid of tiles, in the level's pixels."""
    ndim = len(level.shape)
    shape = tuple(min(_TILES[ndim], length) for length in level.shape)
    reach = tuple(min(_REACH[ndim], int(_FAR * length)) for length in shape)
    counts = [
        1 if length == side else int(np.ceil((length - side) / (_APART * side))) + 1
        for length, side in zip(level.shape, shape, strict=True)
    ]
    found: Planes = np.full(counts, np.inf, np.float32)
    planes = smooth(level.planes, _SMOOTHED, ndim=ndim)
    taps = gaussian_taps(_SMOOTHED)
    noise_left = len(planes) * noise**2 * float(taps @ taps) ** ndim
    window = _window(shape)
    padded = [
        fft.next_fast_len(side + most, real=True) for side, most in zip(shape, reach, strict=True)
    ]
    shared = _central(fft.irfftn(np.abs(fft.rfftn(window, padded)) ** 2, padded), reach)
    for place in product(*(range(count) for count in counts)):
        corner = [
            0 if count == 1 else round(number * (length - side) / (count - 1))
            for number, count, length, side in zip(place, counts, level.shape, shape, strict=True)
        ]
        tile = planes[(slice(None), *(slice(c, c + s) for c, s in zip(corner, shape, strict=True)))]
        mean = (tile * window).sum(axis=tuple(range(1, ndim + 1)), keepdims=True) / window.sum()
        power = np.abs(fft.rfftn((tile - mean) * window, padded, axes=range(1, ndim + 1))) ** 2
        correlation = _central(fft.irfftn(power.sum(axis=0), padded), reach) / shared
        found[place] = _distance(correlation, noise_left, tile)
    return found


def _window(shape: tuple[int, ...]) -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.ones(())
    for length in shape:
        window = np.multiply.outer(window, np.sin(np.pi * (np.arange(length) + 0.5) / length))
    return window


def _central(values: NDArray[np.float64], reach: tuple[int, ...]) -> NDArray[np.float64]:
    """Values at distances up to a reach, zero in the middle."""
    return np.asarray(values[np.ix_(*(np.arange(-most, most + 1) for most in reach))])


def _distance(correlation: NDArray[np.float64], noise: float, tile: Planes) -> float:
    middle = np.array([length // 2 for length in correlation.shape])
    seen = correlation[tuple(middle)] - noise
    if seen <= max(_LEAST * noise, 1e-9):
        return float("inf")
    lobes, count = ndimage.label(correlation >= _LIKE * seen, np.ones((3,) * correlation.ndim))
    others = [number for number in range(1, count + 1) if number != lobes[tuple(middle)]]
    peaks = np.array(ndimage.maximum_position(correlation, lobes, others), int)
    rivals = peaks.reshape(-1, len(middle)) - middle
    near = np.all(np.abs(rivals) <= _PLAIN * np.array(tile.shape[1:]), axis=1)
    found = rivals[near]
    if not len(found):
        tops = ndimage.maximum_filter(correlation, 3) == correlation
        far = np.argwhere(tops & (correlation >= _PERHAPS * seen)) - middle
        far = far[np.any(np.abs(far) > _PLAIN * np.array(tile.shape[1:]), axis=1)]
        # The window draws a peak nearer by a pixel.
        around = np.array(list(product((0, -1, 1), repeat=len(middle))))
        found = np.array(
            [
                each
                for each in far
                if any(_alike(tile, each + step, noise) >= _SAME for step in around)
            ]
        )
    return float(np.sqrt((found**2).sum(axis=1).min())) if len(found) else float("inf")


def _alike(tile: Planes, shift: NDArray[np.int_], noise: float) -> float:
    """Correlation of a tile with itself some pixels on, where both overlap, less noise.

    So far on little overlaps, whose own contrast may be far from that of the tile.
    """
    one, two = (
        tile[(slice(None), *(_from(sign * int(each)) for each in shift))].astype(np.float64)
        for sign in (1, -1)
    )
    if not one.size:
        return 0.0
    axes = tuple(range(1, tile.ndim))
    one, two = (each - each.mean(axis=axes, keepdims=True) for each in (one, two))
    pixels = one[0].size
    sizes = [float(np.sum(each**2)) / pixels - noise for each in (one, two)]
    if min(sizes) <= max(_LEAST * noise, 1e-9):
        return 0.0
    return float(np.sum(one * two) / (pixels * np.sqrt(sizes[0] * sizes[1])))


def _from(shift: int) -> slice:
    return slice(shift, None) if shift >= 0 else slice(None, shift)
