"""Whether measured nodes are a grid, and how noisy the image is that they were measured in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import gammaln

from napari_framewise.numerics.grid_nodes.growing import FEWEST, triples
from napari_framewise.numerics.noise import sigma_of_image

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
_LEAST_FILLED, _CHANCE, _REACH = 0.35, 1e-3, 0.11
_CLIPPED = 0.01
_SIXTH = np.array([1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0]) / np.sqrt(924)
_AROUND, _FEWEST_LINES = 16, 8
_NOISY, _QUIET, _WIDEST = 0.3, 0.15, 0.08


def held(index: IntArray) -> IntArray:
    """Which nodes have at least two neighbours that have so too: one neighbour holds no node."""
    kept = {(int(row), int(column)): k for k, (row, column) in enumerate(index)}
    while True:
        loose = [
            (row, column)
            for row, column in kept
            if sum((row + a, column + b) in kept for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0))) < 2
        ]
        if not loose:
            return np.array(sorted(kept.values()), dtype=np.int64)
        for node in loose:
            del kept[node]


def is_grid(places: Array, index: IntArray, strays: int) -> bool:
    """Whether nodes make a grid, rather than places that happen to lie in rows.

    At least 2 x 2 of them, and 35 % of their rows and columns; and where there were other places
    in the image, it must be unlikely that half of the nodes between two others lie in the middle
    of those as closely as they do: by chance they would lie anywhere within the reach of a step.
    """
    if len(index) < FEWEST:
        return False
    rows, columns = np.ptp(index, axis=0) + 1
    if min(rows, columns) < 2 or len(index) < _LEAST_FILLED * rows * columns:
        return False
    if strays == 0:
        return True
    misfits = triples(places, index)
    if not len(misfits):
        return False
    steps = np.sqrt(np.ptp(places, axis=0).prod() / max((rows - 1) * (columns - 1), 1))
    share = (np.median(np.hypot(*misfits.T)) / (_REACH * steps)) ** 2
    half = (len(misfits) + 1) // 2
    # By logarithms, for there are thousands on a large board.
    chance = gammaln(len(misfits) + 1) - gammaln(half + 1) - gammaln(len(misfits) - half + 1)
    chance += half * np.log(np.clip(share, 1e-30, 1.0))
    return bool(chance + np.log(strays + len(places)) < np.log(_CHANCE))


def scattered(places: Array, index: IntArray, errors: Array) -> Array:
    """Standard errors, (n,), no smaller than nodes around scatter about smooth rows and columns.

    Sixth differences along rows and columns, ``(1, -6, 15, -20, 15, -6, 1) / sqrt(924)``, are as
    large as the errors of nodes, and show nothing of a map that is smooth from node to node. Where
    the 16 nearest are larger than stated, in the root mean square, so is a node's error.
    """
    at = {(int(row), int(column)): k for k, (row, column) in enumerate(index)}
    used, misfits = [], []
    for row, column in at:
        for down, right in ((0, 1), (1, 0)):
            line = [at.get((row + n * down, column + n * right), -1) for n in range(-3, 4)]
            if min(line) >= 0:
                used.append(line)
                misfits.append(_SIXTH @ places[line])
    if len(used) < _FEWEST_LINES:
        return errors
    lines = np.array(used)
    found = (np.array(misfits) ** 2).mean(axis=1)
    stated = (_SIXTH**2 * errors[lines] ** 2).sum(axis=1)
    _, near = cKDTree(index[lines[:, 3]]).query(index, k=min(_AROUND, len(lines)))
    expected = stated[near].sum(axis=1)
    factor = np.sqrt(found[near].sum(axis=1) / np.where(expected > 0, expected, np.inf))
    return np.asarray(errors * np.maximum(factor, 1.0))


def noise_of(image: Array, usable: BoolArray) -> float:
    """Standard deviation of the noise; pixels at either end of a clipped range don't count."""
    known = image[usable]
    inner = usable & (image > known.min()) & (image < known.max())
    if usable.sum() - inner.sum() < _CLIPPED * usable.sum() or not inner.any():
        inner = usable
    sigma = sigma_of_image(image, inner)
    return float(sigma) if np.isfinite(sigma) else 0.0


def quieter(ink: Array, noise: float, pitch: float) -> tuple[Array, float]:
    """An image of dots or lines, smoothed where its noise is more than 0.3 of its contrast.

    And by how much: the sigma of the Gaussian in pixels.
    """
    least = _WIDEST * pitch
    smooth = ndimage.gaussian_filter(ink, least, mode="nearest")
    low, high = np.percentile(smooth[::4, ::4], (1, 99))
    contrast = high - low - 4 * noise / (np.sqrt(4 * np.pi) * least)
    if noise <= _NOISY * contrast:
        return ink, 0.0
    wanted = noise / (_QUIET * max(contrast, 1e-300) * np.sqrt(4 * np.pi))
    if wanted >= least:
        return smooth, least
    return ndimage.gaussian_filter(ink, wanted, mode="nearest"), wanted
